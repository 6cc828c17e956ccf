"""The two halves of a batch, whose examples are mixed in pairs."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks


def halves(name, values):
    """The first and the second half of a batch, with an error if its size is odd."""
    message = f"`{name}` must be an even number of examples, which are mixed in pairs. Received: "
    if (values.shape[0] or 0) % 2:
        raise ValueError(f"{message}{values.shape[0]}")
    size = tf.shape(values)[0]
    even = tf.debugging.Assert(tf.equal(size % 2, 0), [message, size])
    with tf.control_dependencies([even]):
        half = size // 2
    return values[:half], values[half:]


def class_weights(labels, num_classes, name, inputs):
    """Floats `(batch, num_classes)` of labels, which may be such floats already.

    Args:
        labels: Whole numbers `(batch,)`, or floats.
        num_classes: Or None, for floats.
        name: Of the argument that the labels belong to, for errors.
        inputs: The argument, dense or ragged; only the number of its examples is used.

    Raises:
        ValueError: if `labels` are neither, or have another number of examples.
        tf.errors.InvalidArgumentError: when run, if a label is outside its range.
    """
    labels = tensor_checks.tensor("labels", labels, "labels")
    arguments.optional_whole_number("num_classes", num_classes)
    if labels.dtype.is_integer:
        labels = _one_hot(labels, num_classes)
    elif not labels.dtype.is_floating or labels.shape.rank != 2:
        raise ValueError(
            "`labels` must be whole numbers (batch,) or floats (batch, num_classes). Received: "
            f"labels of dtype {labels.dtype.name} and shape {labels.shape}"
        )
    elif num_classes is not None and labels.shape[1] not in (None, num_classes):
        raise ValueError(
            f"`labels` must have {num_classes} columns, as `num_classes`. Received: labels of "
            f"shape {labels.shape}"
        )
    size, wanted = tf.shape(labels)[0], _count(inputs)
    message = f"`labels` must be as many as `{name}`. Received: labels and {name} "
    same = tf.debugging.Assert(tf.equal(size, wanted), [message, size, wanted])
    with tf.control_dependencies([same]):
        return tf.identity(labels)


def _count(inputs):
    if isinstance(inputs, tf.RaggedTensor):
        return tf.cast(inputs.nrows(), tf.int32)
    return tf.shape(inputs)[0]


def _one_hot(labels, num_classes):
    if num_classes is None:
        raise ValueError("`num_classes` must be given with labels that are whole numbers.")
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape.rank != 1:
        raise ValueError(
            f"`labels` must have shape (batch,). Received: labels of shape {labels.shape}"
        )
    inside = tf.reduce_all((labels >= 0) & (labels < num_classes))
    message = f"`labels` must be whole numbers from 0 to {num_classes - 1}. Received: "
    known = tf.debugging.Assert(inside, [message, labels], summarize=-1)
    with tf.control_dependencies([known]):
        return tf.one_hot(labels, num_classes)


def mixed(ratio, first, second):
    """ratio * first + (1 - ratio) * second, for ratios `(n,)` and arrays `(n, ...)`."""
    ratio = tf.cast(ratio, first.dtype)
    ratio = tf.reshape(ratio, tf.concat([tf.shape(ratio), [1] * (first.shape.rank - 1)], axis=0))
    return ratio * first + (1 - ratio) * second
