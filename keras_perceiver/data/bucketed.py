"""Batches of examples of like length."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks


def bucketed(
    dataset: tf.data.Dataset, batch_size: int, lengths, *, drop_remainder: bool = False
) -> tf.data.Dataset:
    """Batches examples whose inputs differ in length with others of like length.

    Each batch is padded with zeros to the least of `lengths` that holds its examples, so there are
    as many shapes of batches as `lengths`; a mask in the inputs is padded with False.

    Args:
        dataset: Elements `(inputs, targets)` or `(inputs, targets, weights)`, not batched. The
            inputs are a tensor or a dict of tensors whose first axes may be of unknown size. Tokens
            are padded with 0.
        batch_size: Examples in a batch.
        lengths: Whole numbers, ascending: lengths of batches.
        drop_remainder: Whether to drop the smaller last batches of each length.

    Returns:
        A `tf.data.Dataset` of batches.

    Raises:
        ValueError: if an argument is wrong, or no input has an axis of unknown size.
        tf.errors.InvalidArgumentError: when read, if an example is longer than the last of
            `lengths`.

    Example:

    >>> train = kp.data.load("time_series/japanese_vowels", batch_size=None)
    >>> train = kp.data.bucketed(train, 32, lengths=(12, 20, 29))
    """
    arguments.whole_number("batch_size", batch_size)
    arguments.flag("drop_remainder", drop_remainder)
    lengths = ascending("lengths", lengths)
    spec = tensor_checks.dataset("dataset", dataset).element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise ValueError(
            "`dataset` must have elements (inputs, targets) or (inputs, targets, weights). "
            f"Received: elements {spec}"
        )
    leaves = tf.nest.flatten(spec[0])
    open_ones = [i for i, leaf in enumerate(leaves) if leaf.shape.rank and leaf.shape[0] is None]
    if not open_ones:
        raise ValueError(
            "`dataset` must have an input of unknown length, not batched. Received: inputs "
            f"{spec[0]}"
        )

    def length_of(inputs, *rest):
        given = tf.nest.flatten(inputs)
        longest = tf.reduce_max([tf.shape(given[i])[0] for i in open_ones])
        message = f"An example must have a length of at most {lengths[-1]}, the last of `lengths`. "
        fits = tf.debugging.Assert(
            longest <= lengths[-1], [tf.strings.format(message + "Received: length {}", longest)]
        )
        with tf.control_dependencies([fits]):
            return tf.identity(longest)

    return dataset.bucket_by_sequence_length(
        length_of,
        bucket_boundaries=[length + 1 for length in lengths],
        bucket_batch_sizes=[batch_size] * (len(lengths) + 1),
        pad_to_bucket_boundary=True,  # one less than the boundary
        drop_remainder=drop_remainder,
    ).prefetch(tf.data.AUTOTUNE)


def ascending(name, lengths):
    """Returns `lengths` as a list, or raises ValueError."""
    is_list = isinstance(lengths, (tuple, list)) and len(lengths) > 0
    found = []
    if is_list:
        found = [arguments.whole_number(f"{name}[{i}]", one) for i, one in enumerate(lengths)]
    if not is_list or sorted(set(found)) != found:
        raise ValueError(f"`{name}` must be ascending whole numbers. Received: {name}={lengths!r}")
    return found
