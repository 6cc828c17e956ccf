"""Decodes sound to samples, in the same way in tf.data and in served models."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks


def wav_samples(encoded, num_samples: int, channels: int = 1, sampling_rate: int | None = None):
    """Decodes one WAV file (16-bit PCM) to samples of a fixed length.

    Longer sounds are truncated, shorter sounds are padded with silence. If the file has more
    channels, the last ones are dropped; if it has fewer, the last one is repeated.

    Args:
        encoded: String scalar: the bytes of the file.
        num_samples: Length of the result.
        channels: Channels of the result.
        sampling_rate: If given, in Hz: files with another rate are refused, because this function
            does not resample.

    Returns:
        float32 tensor from -1 to 1 of shape `(num_samples, channels)`.

    Raises:
        ValueError: if an argument is out of range.
        tf.errors.InvalidArgumentError: when run, if the bytes are not such a file, or the sampling
            rate differs.

    Example:

    >>> files = tf.data.Dataset.list_files("birds/*.wav")
    >>> clips = files.map(lambda f: kp.data.wav_samples(tf.io.read_file(f), 16000))
    """
    arguments.whole_number("num_samples", num_samples)
    arguments.whole_number("channels", channels)
    samples = decoded_sound(encoded, channels, num_samples, sampling_rate)
    return tf.ensure_shape(samples, (num_samples, channels))


def decoded_sound(encoded, channels=-1, num_samples=-1, sampling_rate=None):
    """The samples of one WAV file, float32 `(num_samples, channels)`.

    Without `channels` or `num_samples`, those of the file. The arguments, and what is refused, are
    as in `wav_samples`.
    """
    encoded = tensor_checks.tensor("encoded", encoded, "one string, the bytes of a WAV file")
    if encoded.dtype != tf.string or encoded.shape.rank not in (0, None):
        raise ValueError(
            "`encoded` must be one string, the bytes of a WAV file. Received: dtype "
            f"{encoded.dtype.name}, shape {encoded.shape}"
        )
    start = tf.strings.substr(tf.strings.join([encoded, " " * 12]), 0, 12)
    is_wav = tf.strings.regex_full_match(start, r"(?s)RIFF\C{4}WAVE")  # \C is any byte
    known = tf.debugging.Assert(is_wav, ["A sound must be the bytes of a WAV file."])
    with tf.control_dependencies([known]):
        encoded = tf.identity(encoded)
    samples, rate = tf.audio.decode_wav(encoded, channels, num_samples)
    if sampling_rate is not None:
        arguments.whole_number("sampling_rate", sampling_rate)
        message = f"A sound must have {sampling_rate} samples a second. Received: {{}}"
        same = tf.debugging.Assert(
            tf.equal(rate, sampling_rate), [tf.strings.format(message, rate)]
        )
        with tf.control_dependencies([same]):
            samples = tf.identity(samples)
    return samples
