"""Augmentation: noise added to every value."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks


def random_noise(inputs, seed, stddev: float = 0.1):
    """Adds normal noise to a batch, so that a model cannot memorise its examples.

    Args:
        inputs: Floating tensor of any shape.
        seed: Integer tensor of shape `(2,)`; the same seed gives the same noise.
        stddev: Standard deviation of the noise, in the units of `inputs`.

    Returns:
        Tensor of the shape and dtype of `inputs`.

    Raises:
        ValueError: if `inputs` is not floating, or `stddev` is below zero.

    Example:

    >>> train = kp.data.from_arrays(images, labels, 32, augment=kp.data.random_noise)
    """
    stddev = arguments.number("stddev", stddev, at_least=0)
    inputs = tensor_checks.tensor("inputs", inputs, "floating numbers")
    seed = tensor_checks.pair("seed", seed)
    if not inputs.dtype.is_floating:
        raise ValueError(
            f"`inputs` must be floating numbers. Received: inputs of dtype {inputs.dtype.name}"
        )
    noise = tf.random.stateless_normal(tf.shape(inputs), seed, dtype=inputs.dtype)
    return inputs + stddev * noise
