"""The byte vocabulary in TensorFlow ops, for tf.data and served models."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.inputs.byte_vocabulary import NUM_SPECIAL


def text_ids(texts, max_length: int):
    """Token ids of texts, as `kp.text_to_ids` gives them, in TensorFlow ops.

    Args:
        texts: String tensor of any shape, UTF-8 (or any bytes).
        max_length: Longer texts are truncated, shorter texts are padded with 0.

    Returns:
        int32 tensor of shape `(*texts.shape, max_length)`.

    Raises:
        ValueError: if `max_length` is not a whole number of at least 1.

    Example:

    >>> texts = tf.data.TextLineDataset("book.txt")
    >>> ids = texts.map(lambda line: kp.data.text_ids(line, 512))
    """
    arguments.whole_number("max_length", max_length)
    texts = tensor_checks.tensor("texts", texts, "strings")
    if texts.dtype != tf.string:
        raise ValueError(f"`texts` must be strings. Received: texts of dtype {texts.dtype.name}")
    lengths = tf.minimum(tf.strings.length(texts, unit="BYTE"), max_length)
    values = tf.io.decode_raw(texts, tf.uint8, fixed_length=max_length)
    is_byte = tf.range(max_length) < lengths[..., None]
    return tf.where(is_byte, tf.cast(values, tf.int32) + NUM_SPECIAL, 0)
