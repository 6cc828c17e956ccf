"""A check of token ids for existing pipelines."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks


def check_ids(
    dataset: tf.data.Dataset, vocab_size: int, name: str | None = None
) -> tf.data.Dataset:
    """Makes a pipeline stop at the first token id outside the vocabulary.

    Args:
        dataset: Elements whose inputs are token ids, or a dict that has them under `name`.
        vocab_size: Ids must be whole numbers from 0 to `vocab_size` - 1.
        name: Name of the token ids if the inputs are a dict.

    Returns:
        A `tf.data.Dataset` of the same elements. Reading one with an id out of range raises
        `tf.errors.InvalidArgumentError`, whose message gives the id and its index in the element.

    Raises:
        ValueError: if inputs have no entry `name`, or ids are not of an integer dtype.

    Example:

    >>> model.fit(kp.data.check_ids(batches, 262, name="text"))
    """
    arguments.whole_number("vocab_size", vocab_size)
    spec = tensor_checks.dataset("dataset", dataset).element_spec
    inputs = spec[0] if isinstance(spec, tuple) else spec
    if isinstance(inputs, dict) != (name is not None) or (name and name not in inputs):
        names = sorted(inputs) if isinstance(inputs, dict) else None
        raise ValueError(
            f"`name` must be one of {names}, the names of the inputs. Received: name={name!r}"
        )
    dtype = (inputs[name] if name else inputs).dtype
    if not dtype.is_integer:
        raise ValueError(f"Token ids must be of an integer dtype. Received: {dtype.name}")

    def check(*element):
        inputs, *rest = element
        if name:
            inputs = {**inputs, name: _checked(inputs[name], vocab_size)}
        else:
            inputs = _checked(inputs, vocab_size)
        return (inputs, *rest) if rest else inputs

    return dataset.map(check, num_parallel_calls=tf.data.AUTOTUNE)


def _checked(ids, vocab_size):
    """Returns `ids`; the pipeline raises an error if one is out of range."""
    outside = tf.where((ids < 0) | (ids >= tf.cast(vocab_size, ids.dtype)))

    def stop():
        message = tf.strings.format(
            f"Token ids must be whole numbers from 0 to {vocab_size - 1} "
            f"(vocab_size={vocab_size}). Received: id {{}} at index {{}}",
            (tf.gather_nd(ids, outside[0]), outside[0]),
        )
        with tf.control_dependencies([tf.debugging.Assert(False, [message])]):
            return tf.identity(ids)

    return tf.cond(tf.shape(outside)[0] > 0, stop, lambda: ids)
