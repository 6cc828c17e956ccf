"""tensorflow-io without the warnings that it gives on new versions of TensorFlow."""

import warnings

import tensorflow as tf

from keras_perceiver.extras import require


def tensorflow_io_audio():
    """The module `tensorflow_io.audio`; its functions of TensorFlow operations work everywhere.

    Its libraries of native operations load on TensorFlow up to 2.17. On later versions it warns
    about them when it is imported, which does not concern these functions.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(unable to load|are not loaded).*")
        return require("tensorflow_io", "data").audio


def native_operations():
    """tensorflow-io's own operations, or ValueError where they do not load."""
    tensorflow_io_audio()
    operations = require("tensorflow_io.python.ops", "data").core_ops
    try:
        loaded = hasattr(operations, "io_audio_readable_init")
    except (NotImplementedError, tf.errors.OpError):
        loaded = False
    if not loaded:
        raise ValueError(
            "`decode` must be 'soundfile' here: the operations of tensorflow-io load on TensorFlow "
            f"2.17 and earlier. Received: decode='tensorflow_io' with TensorFlow {tf.__version__}"
        )
    return operations
