"""Sound files of the usual formats, decoded and resampled."""

import os

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.data.native_sound import native_samples
from keras_perceiver.data.sound_decoder import QUALITIES, SoundDecoder

_ENCODED = "The sound in `encoded`"


def read_sound(
    path=None,
    *,
    encoded=None,
    sampling_rate: int = 48000,
    channels: int | None = 1,
    num_samples: int | None = None,
    pad: bool = False,
    resample: bool = True,
    quality: str = "HQ",
    decode: str = "soundfile",
):
    """Reads one WAV, FLAC, OGG or MP3 file, at any sampling rate.

    Files are decoded by soundfile (libsndfile) and resampled by soxr. Both run in Python, but free
    its lock while they work, so that `dataset.map(..., num_parallel_calls=...)` decodes in parallel
    in one process. A `tf.data` service or a served model cannot run Python; `wav_samples` is for
    these. For WAV files with the right rate, both give the same samples.

    Args:
        path: Path of the file: a string, a `Path` or a string tensor `()`.
        encoded: Instead of `path`, the bytes of the file, a string tensor `()` or `bytes`.
        sampling_rate: Of the result, in Hz.
        channels: Channels of the result. If the file has more, the last ones are dropped; if it has
            fewer, the last one is repeated. None keeps those of the file.
        num_samples: Length of the result; longer sounds are cut at the end. Default: all.
        pad: Whether sounds that are shorter than `num_samples` are filled up with silence.
            Otherwise they are refused.
        resample: Whether files with another rate are resampled. Otherwise they are refused.
        quality: Of the resampling, as soxr names it: "QQ", "LQ", "MQ", "HQ" (20 bits) or "VHQ" (28
            bits).
        decode: "soundfile", or "tensorflow_io": its native operations, which are plain TensorFlow,
            need TensorFlow 2.17 or earlier, and take a `path` to a WAV, FLAC, OGG or MP3 file. They
            decode the beginning of a truncated OGG file as if it were all.

    Returns:
        float32 tensor from -1 to 1 of shape `(samples, channels)`. What lies outside, in files of
        floats or because of resampling, is clipped.

    Raises:
        ValueError: if an argument is wrong. On values, if the file is empty, damaged, truncated or
            not a sound, is too short, or has another rate with resample=False. The message names
            the file. An MP3 file without a Xing or VBRI header does not tell its length: that it
            is truncated goes unnoticed, and one of variable bit rate may be cut where libsndfile
            guesses its end.
        FileNotFoundError: on values, if there is no such file.
        tf.errors.InvalidArgumentError, tf.errors.NotFoundError: the same in a graph, when run.
        ImportError: if soundfile or soxr is not installed.

    Example:

    >>> files = tf.data.Dataset.list_files("birds/*.mp3")
    >>> clips = files.map(lambda file: kp.data.read_sound(file, num_samples=61440, pad=True))

    Reference: Perceiver (arXiv 2103.03206), section 4.2 (48 kHz; 61,440 samples are 1.28 s).
    """
    if (path is None) == (encoded is None):
        raise ValueError(
            "Either `path` or `encoded` must be given. Received: "
            + ("neither" if path is None else "both")
        )
    decoder = SoundDecoder(
        arguments.whole_number("sampling_rate", sampling_rate),
        arguments.optional_whole_number("channels", channels),
        arguments.optional_whole_number("num_samples", num_samples),
        arguments.flag("resample", resample),
        arguments.flag("pad", pad),
        arguments.one_of("quality", quality, QUALITIES),
    )
    arguments.one_of("decode", decode, ("soundfile", "tensorflow_io"))
    file = _text("encoded", encoded, "the bytes of a file") if path is None else _path(path)
    if decode == "tensorflow_io":
        if path is None:
            raise ValueError("`path` must be given with decode='tensorflow_io'. Received: encoded")
        samples, rate = native_samples(file)
        samples = _run(_finish, decoder, samples, rate, file)
    elif path is None:
        samples = _run(_decode, decoder, file, _ENCODED)
    else:
        samples = _run(_decode, decoder, _contents(file), file)
    return tf.ensure_shape(samples, (num_samples, channels))


def _path(path):
    if isinstance(path, (bytes, bytearray)):
        raise ValueError(
            "`path` must be a string, a Path or a string tensor; the bytes of a file are given as "
            f"`encoded`. Received: bytes, beginning with {bytes(path[:8])!r}"
        )
    path = os.fspath(path) if isinstance(path, os.PathLike) else path
    if isinstance(path, str) and not path:
        raise ValueError("`path` must be a path. Received: path=''")
    return _text("path", path, "a path")


def _text(name, value, wanted):
    value = tensor_checks.tensor(name, value, f"one string, {wanted}")
    if value.dtype != tf.string or value.shape.rank not in (0, None):
        raise ValueError(
            f"`{name}` must be one string, {wanted}. Received: {name} of dtype {value.dtype.name} "
            f"and shape {value.shape}"
        )
    return value


def _contents(path):
    try:
        return tf.io.read_file(path)
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(f"There is no file {_name(path.numpy())}.") from error
    except tf.errors.OpError as error:
        raise OSError(f"{_name(path.numpy())} cannot be read: {error.message}") from error


def _run(function, decoder, *tensors):
    """Calls a NumPy function at once if the tensors have values, and otherwise in the graph."""
    tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
    if all(hasattr(tensor, "numpy") for tensor in tensors):
        return tf.constant(function(decoder, *(tensor.numpy() for tensor in tensors)))
    return tf.numpy_function(
        lambda *arrays: function(decoder, *arrays), tensors, tf.float32, stateful=False
    )


def _decode(decoder, contents, path):
    return decoder(contents, _name(path))


def _finish(decoder, samples, rate, path):
    name = _name(path)
    return decoder.finished(samples, decoder.checked_rate(int(rate), name), name)


def _name(path):
    name = path.decode(errors="replace")
    return name if name == _ENCODED else repr(name)
