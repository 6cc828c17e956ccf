"""The learning rate of fine-tuning on GLUE."""

import keras

from keras_perceiver import arguments


def warm_up_then_flat(peak, warm_up_steps):
    """A learning rate that rises from 0 to `peak` and stays there.

    Args:
        peak: Learning rate after the warm-up.
        warm_up_steps: Number of steps of the linear rise.

    Returns:
        A `keras.optimizers.schedules.PolynomialDecay` of degree 1, which ends at `peak`.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> schedule = kp.training.warm_up_then_flat(5e-5, warm_up_steps=200)

    Reference: Perceiver IO (arXiv 2107.14795), table 13.
    """
    return keras.optimizers.schedules.PolynomialDecay(
        0.0,
        arguments.whole_number("warm_up_steps", warm_up_steps),
        end_learning_rate=arguments.number("peak", peak, above=0),
    )
