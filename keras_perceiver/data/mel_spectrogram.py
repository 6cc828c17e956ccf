"""Mel spectrograms of sound."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.data.quiet_tensorflow_io import tensorflow_io_audio

_AXES = "(samples, channels) or (batch, samples, channels)"


def mel_spectrogram(
    samples,
    sampling_rate: int = 48000,
    num_bands: int = 80,
    window: int = 2048,
    stride: int = 1024,
    fft_length: int | None = None,
    low: float = 0.0,
    high: float | None = None,
    decibels: bool = True,
    top_db: float = 80.0,
):
    """The mel spectrogram of sound, by the functions of tensorflow-io.

    Magnitudes of a short-time Fourier transform (Hann window) are summed in bands of the mel scale.
    The defaults turn 61,440 samples into 60 frames of 80 bands. Their product, 4,800, is the
    number of inputs that the paper states for 1.28 s; it does not state how they are divided.

    Args:
        samples: Floats `(samples, channels)` or `(batch, samples, channels)`, as from `read_sound`.
        sampling_rate: Of `samples`, in Hz.
        num_bands: Number of bands.
        window: Length of a window, in samples.
        stride: Samples from one window to the next. The last ones are filled up with silence.
        fft_length: Length of the Fourier transform; at least `window`. Default: the next power of
            two.
        low, high: Limits of the bands, in Hz. `high` is half the sampling rate by default.
        decibels: Whether the result is in decibels, 10 log10(m^2) for a band's magnitude m.
        top_db: With `decibels`, what is further below the loudest value of an example is raised to
            this distance.

    Returns:
        Tensor of the dtype of `samples` and of shape `(frames, num_bands, channels)` or
        `(batch, frames, num_bands, channels)`, with one frame for each `stride` samples begun.

    Raises:
        ValueError: if an argument is out of range, or `samples` have another dtype or rank.
        ImportError: if tensorflow-io is not installed.

    Example:

    >>> sound = kp.data.read_sound("bird.mp3", num_samples=61440)
    >>> kp.data.mel_spectrogram(sound).shape
    TensorShape([60, 80, 1])

    Reference: Perceiver (arXiv 2103.03206), section 4.2.
    """
    arguments.whole_number("sampling_rate", sampling_rate)
    arguments.whole_number("num_bands", num_bands)
    arguments.whole_number("window", window)
    arguments.whole_number("stride", stride)
    if fft_length is None:
        fft_length = 2 ** (window - 1).bit_length()
    arguments.whole_number("fft_length", fft_length, at_least=window)
    half = sampling_rate / 2
    high = half if high is None else high
    arguments.number("low", low, at_least=0, below=half)
    arguments.number("high", high, above=low, at_most=half)
    arguments.flag("decibels", decibels)
    arguments.number("top_db", top_db, above=0)
    samples = tensor_checks.tensor("samples", samples, f"floats of shape {_AXES}")
    if samples.dtype not in (tf.float32, tf.float64) or samples.shape.rank not in (2, 3):
        raise ValueError(
            f"`samples` must be floats of shape {_AXES}. Received: samples of dtype "
            f"{samples.dtype.name} and shape {samples.shape}"
        )
    audio = tensorflow_io_audio()
    bands = audio.spectrogram(tf.linalg.matrix_transpose(samples), fft_length, window, stride)
    bands = audio.melscale(tf.cast(bands, tf.float32), sampling_rate, num_bands, low, high)
    bands = tf.cast(tf.einsum("...cfb->...fbc", bands), samples.dtype)
    if decibels:
        # dbscale measures from the loudest value of all, which would make an example depend on the
        # others in its batch.
        bands = audio.dbscale(bands, top_db=float("inf"))
        loudest = tf.reduce_max(bands, axis=(-3, -2, -1), keepdims=True)
        bands = tf.maximum(bands, loudest - top_db)
    length = samples.shape[-2]
    frames = None if length is None else -(-length // stride)
    return tf.ensure_shape(bands, (*samples.shape[:-2], frames, num_bands, samples.shape[-1]))
