"""Augmentation: weighted means of pairs of examples."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.data.mixed_pairs import class_weights, halves, mixed


def mix_up(inputs, labels, seed, alpha: float = 0.2, num_classes: int | None = None):
    """Mixes each example of the first half of a batch with one of the second half, and so labels.

    Example i becomes r times itself plus 1 - r times example n + i of 2n, with r from Beta(alpha,
    alpha), new for each pair. `keras.layers.MixUp` mixes each example of a batch with any other or
    with itself, and keeps its random state in a variable.

    Args:
        inputs: Floats `(2n, ...)`, such as images.
        labels: Whole numbers `(2n,)`, or floats `(2n, num_classes)`.
        seed: Integer tensor of shape `(2,)`; the same seed gives the same ratios.
        alpha: Parameter of the beta distribution; above 0.
        num_classes: Needed if `labels` are whole numbers.

    Returns:
        A pair: floats `(n, ...)`, and floats `(n, num_classes)` that sum to 1 if `labels` do.

    Raises:
        ValueError: if an argument, a dtype or a shape is wrong.
        tf.errors.InvalidArgumentError: when run, if the number of examples is odd or differs from
            that of the labels, or a label is out of range.

    Example:

    >>> images, labels = kp.data.mix_up(images, labels, seed=(3, 5), num_classes=10)

    Reference: MixUp (arXiv 1710.09412); Perceiver IO (arXiv 2107.14795), appendix A.
    """
    arguments.number("alpha", alpha, above=0)
    inputs = tensor_checks.tensor("inputs", inputs, "floats")
    seed = tensor_checks.pair("seed", seed)
    if not inputs.dtype.is_floating or not inputs.shape.rank:
        raise ValueError(
            "`inputs` must be floats of shape (2n, ...). Received: inputs of dtype "
            f"{inputs.dtype.name} and shape {inputs.shape}"
        )
    labels = class_weights(labels, num_classes, "inputs", inputs)
    pairs = halves("inputs", inputs)
    ratio = _beta(tf.shape(pairs[0])[:1], seed, alpha)
    return mixed(ratio, *pairs), mixed(ratio, *halves("labels", labels))


def _beta(shape, seed, alpha):
    """Draws from Beta(alpha, alpha), in double precision: small powers must not become 0."""
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    first, second = (
        tf.random.stateless_gamma(shape, one, tf.constant(alpha, tf.float64), dtype=tf.float64)
        for one in seeds
    )
    return first / (first + second)
