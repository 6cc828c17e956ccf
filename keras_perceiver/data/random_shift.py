"""Augmentation: images shifted by a few pixels."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks


def random_shift(images, seed, max_shift: int = 1):
    """Shifts each image of a batch by up to `max_shift` pixels along both axes; fills with zeros.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        seed: Integer tensor of shape `(2,)`; the same seed gives the same shifts.
        max_shift: Largest shift in pixels; all whole-pixel shifts up to it are equally likely.

    Returns:
        Tensor of the shape and dtype of `images`.

    Raises:
        ValueError: if `images` has another rank, or `max_shift` is not a whole number.

    Example:

    >>> train = kp.data.from_arrays(images, labels, 32, augment=kp.data.random_shift)
    """
    max_shift = arguments.whole_number("max_shift", max_shift, at_least=0)
    images = tensor_checks.tensor("images", images, "a batch of images")
    seed = tensor_checks.pair("seed", seed)
    arguments.rank_of("images", images.shape, 4, "(batch, height, width, channels)")
    batch, height, width = tf.unstack(tf.shape(images)[:3])
    shifts = tf.random.stateless_uniform(
        (batch, 2), seed, minval=0, maxval=2 * max_shift + 1, dtype=tf.int32
    )
    border = [max_shift, max_shift]
    padded = tf.pad(images, [[0, 0], border, border, [0, 0]])
    rows = shifts[:, :1] + tf.range(height)  # (batch, height): rows of the padded image to keep
    columns = shifts[:, 1:] + tf.range(width)
    moved = tf.gather(padded, rows, axis=1, batch_dims=1)
    moved = tf.gather(moved, columns, axis=2, batch_dims=1)
    return tf.ensure_shape(moved, images.shape)
