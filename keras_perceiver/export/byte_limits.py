"""Checks the bytes of a request before anything is decoded."""

import tensorflow as tf

from keras_perceiver.data.image_pixels import number_of_pixels

# RIFF size WAVE fmt_ 16 format=1 channels rate bytes/second bytes/frame bits=16, then anything.
_WAV = r"(?s)RIFF\C{4}WAVEfmt \x10\x00\x00\x00\x01\x00\C{2}\C{8}\C{2}\x10\x00\C{8}"


def checked_bytes(name, kind, encoded, max_bytes, max_pixels):
    """Returns `encoded` unchanged; the graph raises an error that names the tensor if it is wrong.

    Args:
        name: Name of the tensor.
        kind: "image", "sound", "text" or None.
        encoded: Strings `(batch,)`.
        max_bytes: Largest number of bytes of this tensor in the whole request.
        max_pixels: Largest number of pixels in the whole request, as given in the headers.
    """
    total = tf.reduce_sum(tf.cast(tf.strings.length(encoded), tf.int64))
    encoded = _at_most(max_bytes, total, f"`{name}` must have at most {max_bytes} bytes", encoded)
    if kind == "image":
        pixels = tf.map_fn(
            lambda one: number_of_pixels(one, f"`{name}`"),
            encoded,
            fn_output_signature=tf.TensorSpec((), tf.int64),
        )
        message = f"`{name}` must have at most {max_pixels} pixels in one request"
        total = tf.reduce_sum(tf.minimum(pixels, 2**40))
        encoded = _at_most(max_pixels, total, message, encoded)
    if kind == "sound":
        start = tf.strings.substr(tf.strings.join([encoded, " " * 44]), 0, 44)
        good = tf.reduce_all(tf.strings.regex_full_match(start, _WAV))
        message = f"`{name}` must be the bytes of WAV files of 16-bit PCM."
        with tf.control_dependencies([tf.debugging.Assert(good, [message])]):
            encoded = tf.identity(encoded)
    return encoded


def _at_most(most, total, message, encoded):
    came = tf.strings.format(f"{message}. Received: {{}}", total)
    with tf.control_dependencies([tf.debugging.Assert(total <= most, [came])]):
        return tf.identity(encoded)
