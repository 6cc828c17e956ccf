"""Inputs of different lengths: padded to one length, with a mask, or left open for buckets."""

import tensorflow as tf


def padded(name, array, length):
    """{name: the array, `<name>_mask`: True at what is there}, padded with zeros to `length`.

    Args:
        name: Name of the input.
        array: Tensor `(n, channels)`. Only the first `length` rows are kept.
        length: Length of the result; None leaves the array as it is, for `bucketed`.
    """
    mask = tf.ones(tf.shape(array)[:1], tf.bool)
    if length is not None:
        array = array[:length]
        missing = length - tf.shape(array)[0]
        array = tf.ensure_shape(tf.pad(array, [[0, missing], [0, 0]]), (length, array.shape[1]))
        mask = tf.ensure_shape(tf.pad(mask[:length], [[0, missing]]), (length,))
    return {name: array, f"{name}_mask": mask}


def cut(array, length):
    """The first `length` rows, padded with zeros, of the static length `length`."""
    array = array[:length]
    missing = [[0, length - tf.shape(array)[0]]] + [[0, 0]] * (array.shape.rank - 1)
    return tf.ensure_shape(tf.pad(array, missing), (length, *array.shape[1:]))
