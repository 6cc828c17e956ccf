"""Augmentation: boxes of images in other images."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.data.mixed_pairs import class_weights, halves, mixed


def cut_mix(images, labels, seed, num_classes: int | None = None):
    """Puts a box of each image of the first half of a batch into one of the second half.

    Inside the box, image i stays; outside, it becomes image n + i of 2n. With u uniform from 0 to
    1, the sides of the box are sqrt(1 - u) of the image's, rounded down to even numbers; its centre
    is any pixel, and what is outside the image is cut off. Labels are mixed by area. In
    `keras.layers.CutMix` the other image is inside the box, which lies in the image entirely, its
    area is from another distribution, and the random state is kept in a variable.

    Args:
        images: Array `(2n, height, width, channels)`.
        labels: Whole numbers `(2n,)`, or floats `(2n, num_classes)`.
        seed: Integer tensor of shape `(2,)`; the same seed gives the same boxes.
        num_classes: Needed if `labels` are whole numbers.

    Returns:
        A pair: `(n, height, width, channels)` of the dtype of `images`, and floats `(n,
        num_classes)` that sum to 1 if `labels` do.

    Raises:
        ValueError: if an argument, a dtype or a shape is wrong.
        tf.errors.InvalidArgumentError: when run, if the number of examples is odd or differs from
            that of the labels, or a label is out of range.

    Example:

    >>> images, labels = kp.data.cut_mix(images, labels, seed=(3, 5), num_classes=10)

    Reference: CutMix (arXiv 1905.04899); Perceiver IO (arXiv 2107.14795), appendix A, and its
    published training code.
    """
    images = tensor_checks.tensor("images", images, "a batch of images")
    seed = tensor_checks.pair("seed", seed)
    arguments.rank_of("images", images.shape, 4, "(batch, height, width, channels)")
    labels = class_weights(labels, num_classes, "images", images)
    first, second = halves("images", images)
    count, height, width, _ = tf.unstack(tf.shape(first))
    draws = tf.random.stateless_uniform((3, count), seed)
    share = tf.sqrt(1 - draws[0])
    inside = _near(height, draws[1], share)[:, :, None] & _near(width, draws[2], share)[:, None, :]
    ratio = tf.reduce_mean(tf.cast(inside, tf.float32), axis=(1, 2))
    images = tf.where(inside[..., None], first, second)
    return images, mixed(ratio, *halves("labels", labels))


def _near(size, centre, share):
    """Booleans `(n, size)`: which rows (or columns) are in boxes with this share of the side."""
    half = tf.cast(share * tf.cast(size, tf.float32), tf.int32)[:, None] // 2
    place = tf.range(size) - tf.cast(centre * tf.cast(size, tf.float32), tf.int32)[:, None]
    return (place >= -half) & (place < half)
