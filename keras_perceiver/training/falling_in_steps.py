"""A learning rate that falls in steps, as that of the first paper's image classifier."""

import keras

from keras_perceiver import arguments


def falling_in_steps(peak, steps, at=(0.5, 0.8, 0.95), factor=0.1):
    """A learning rate that is multiplied by `factor` at some fractions of all steps.

    Args:
        peak: Learning rate of the first steps.
        steps: Number of all steps.
        at: Fractions of `steps`, rising, each above 0 and below 1.
        factor: What the learning rate is multiplied by at each of them.

    Returns:
        A `keras.optimizers.schedules.PiecewiseConstantDecay`.

    Raises:
        ValueError: if an argument is out of range, or `steps` are so few that two of the falls
            would come at the same step.

    Example:

    >>> schedule = kp.training.falling_in_steps(4e-3, steps=12_000, at=(0.7, 0.85, 0.95))

    Reference: Perceiver (arXiv 2103.03206), section 4.1; DeepMind's code for Perceiver IO.
    """
    peak = arguments.number("peak", peak, above=0)
    steps = arguments.whole_number("steps", steps)
    factor = arguments.number("factor", factor, above=0, below=1)
    if not isinstance(at, (tuple, list)) or not at:
        raise ValueError(f"`at` must be a tuple of fractions. Received: at={at!r}")
    at = [arguments.number(f"at[{i}]", one, above=0, below=1) for i, one in enumerate(at)]
    # Keras changes the value after a boundary, so these are the last steps of each value.
    last = [round(steps * one) - 1 for one in at]
    if last[0] < 0 or any(a >= b for a, b in zip(last, last[1:])):
        raise ValueError(
            "`at` must be rising fractions, which `steps` tell apart. Received: "
            f"at={tuple(at)}, steps={steps}"
        )
    values = [peak * factor**i for i in range(len(at) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(last, values)
