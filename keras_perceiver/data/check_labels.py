"""A check of labels for existing pipelines."""

import tensorflow as tf

from keras_perceiver.data import tensor_checks
from keras_perceiver.data.label_counts import label_counts


def check_labels(dataset: tf.data.Dataset, num_classes: int | dict[str, int]) -> tf.data.Dataset:
    """Makes a pipeline stop at the first label that is not one of the classes.

    Without this check, a label out of range gives a NaN loss, or on some devices a wrong loss. The
    labels of a stream are known only when they arrive, so the pipeline checks them: it raises an
    error at the batch with the bad label, and `fit` stops before the step that would have used it.
    For arrays in memory, `from_arrays` checks all labels at once.

    Args:
        dataset: Elements `(inputs, targets)` or `(inputs, targets, sample_weight)`, batched or
            not, such as those of TensorFlow Datasets with `as_supervised=True`.
        num_classes: Labels must be whole numbers from 0 to `num_classes` - 1. For a dict of
            targets, a dict from the names of the label targets to their numbers of classes.

    Returns:
        A `tf.data.Dataset` of the same elements. Reading one with a label out of range raises
        `tf.errors.InvalidArgumentError`, whose message gives the label, its index in the element,
        and the number of the element, counted from 0 in each epoch.

    Raises:
        ValueError: if the elements have no targets, labels are not of an integer dtype, or
            `num_classes` does not fit the targets.

    Example:

    >>> train = kp.data.check_labels(tfds.load("mnist", as_supervised=True)["train"], 10)
    >>> model.fit(train.batch(32))
    """
    spec = tensor_checks.dataset("dataset", dataset).element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise ValueError(
            "`dataset` must have elements (inputs, targets) or (inputs, targets, sample_weight). "
            f"Received: elements {spec}"
        )
    counts = label_counts(num_classes, spec[1])
    for name, (key, count) in counts.items():
        dtype = (spec[1] if key is None else spec[1][key]).dtype
        if not dtype.is_integer:
            raise ValueError(
                f"`{name}` must be whole numbers from 0 to {count - 1} of an integer dtype. "
                f"Received: {name} of dtype {dtype.name}"
            )

    def check(number, element):
        inputs, targets, *weights = element
        targets = dict(targets) if isinstance(targets, dict) else targets
        for name, (key, count) in counts.items():
            if key is None:
                targets = _checked(name, targets, count, number)
            else:
                unquoted = name.replace("'", "")  # quotes would be printed with backslashes
                targets[key] = _checked(unquoted, targets[key], count, number)
        return (inputs, targets, *weights)

    return dataset.enumerate().map(check, num_parallel_calls=tf.data.AUTOTUNE)


def _checked(name, labels, count, number):
    """Returns `labels`; the pipeline raises an error if one is out of range."""
    flat = tf.reshape(tf.cast(labels, tf.int64), [-1])  # `count` may not fit the labels' dtype
    outside = tf.where((flat < 0) | (flat >= count))[:, 0]

    def stop():
        place, values = "label {} in element {}", [flat[outside[0]], number]
        if labels.shape.rank != 0:
            place = "label {} at index {} of element {}"
            values.insert(1, tf.unravel_index(outside[0], tf.shape(labels, tf.int64)))
        # One string, because an assertion prints several strings as separate lists.
        message = tf.strings.format(
            f"`{name}` must be whole numbers from 0 to {count - 1} (num_classes={count}). "
            f"Received: {place}",
            values,
        )
        with tf.control_dependencies([tf.debugging.Assert(False, [message])]):
            return tf.identity(labels)

    return tf.cond(tf.size(outside) > 0, stop, lambda: labels)
