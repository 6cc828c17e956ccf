"""The learning rate of the papers' masked language model."""

import keras

from keras_perceiver import arguments


def warm_up_then_cosine(peak, steps, warm_up_steps=0):
    """A learning rate that rises from 0 to `peak` and then falls to 0 along half a cosine.

    Args:
        peak: Largest learning rate.
        steps: Number of all steps, those of the warm-up among them.
        warm_up_steps: Number of steps of the linear rise.

    Returns:
        A `keras.optimizers.schedules.CosineDecay`.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> schedule = kp.training.warm_up_then_cosine(1.25e-3, steps=500_000, warm_up_steps=1_000)

    Reference: Perceiver IO (arXiv 2107.14795), table 12.
    """
    peak = arguments.number("peak", peak, above=0)
    steps = arguments.whole_number("steps", steps)
    arguments.whole_number("warm_up_steps", warm_up_steps, at_least=0)
    if warm_up_steps >= steps:
        raise ValueError(
            "`warm_up_steps` must be below `steps`. Received: warm_up_steps="
            f"{warm_up_steps}, steps={steps}"
        )
    if warm_up_steps == 0:
        return keras.optimizers.schedules.CosineDecay(peak, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up_steps, warmup_target=peak, warmup_steps=warm_up_steps
    )
