"""The learning rate of the papers' image classifiers."""

import keras

from keras_perceiver import arguments


def flat_then_cosine(peak, steps, flat=0.5):
    """A learning rate that stays at `peak` and then falls to 0 along half a cosine.

    Without a warm-up, which often kept LAMB from training at all (Perceiver IO, appendix A.1).

    Args:
        peak: Learning rate of the first steps.
        steps: Number of all steps; the learning rate is 0 from then on.
        flat: Fraction of the steps at `peak`.

    Returns:
        A `keras.optimizers.schedules.CosineDecay`, with a "warm-up" from `peak` to `peak`.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> schedule = kp.training.flat_then_cosine(2e-3, steps=10_000)
    >>> float(schedule(4_999)), float(schedule(7_500))  # 0.002, 0.001

    Reference: Perceiver IO (arXiv 2107.14795), appendix A.1.
    """
    peak = arguments.number("peak", peak, above=0)
    steps = arguments.whole_number("steps", steps)
    first = round(steps * arguments.fraction("flat", flat))
    if first == 0:
        return keras.optimizers.schedules.CosineDecay(peak, steps)
    return keras.optimizers.schedules.CosineDecay(
        peak, max(steps - first, 1), warmup_target=peak, warmup_steps=first
    )
