"""Sound files to samples by tensorflow-io's native operations, on old versions of TensorFlow."""

import tensorflow as tf

from keras_perceiver.data.quiet_tensorflow_io import native_operations

_TYPES = (tf.uint8, tf.int16, tf.int32, tf.float32)  # of samples in files


def native_samples(path):
    """The samples of one WAV, FLAC, OGG or MP3 file, float32 `(samples, channels)`, and their rate.

    Args:
        path: String scalar.

    Raises:
        ValueError: if tensorflow-io's operations do not load here.
        tf.errors.OpError: when run, if the file is not such a file.
    """
    operations = native_operations()
    resource = operations.io_audio_readable_init(path)
    _, dtype, rate = operations.io_audio_readable_spec(resource)

    def read(kind):
        samples = operations.io_audio_readable_read(resource, 0, -1, dtype=kind)
        if kind.is_floating:
            return samples
        middle = 128.0 if kind == tf.uint8 else 0.0  # 8-bit samples have no sign
        size = 2.0 ** (8 * kind.size - 1)
        return tf.cast((tf.cast(samples, tf.float64) - middle) / size, tf.float32)

    index = tf.argmax(tf.equal(dtype, [kind.as_datatype_enum for kind in _TYPES]))
    branches = [lambda kind=kind: read(kind) for kind in _TYPES]
    samples = tf.switch_case(tf.cast(index, tf.int32), branches)
    return tf.ensure_shape(samples, (None, None)), rate
