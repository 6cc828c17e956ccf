"""Reads the sound of a file."""

import numpy as np

from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.film import FILMS
from keras_perceiver.data.sources.film_sound import film_sound
from keras_perceiver.extras import require

SOUNDS = (".wav", ".flac", ".ogg", ".mp3")


def sound_clip(path, sampling_rate=None, channels=1):
    """Reads all of a sound file, or the sound track of a video.

    Args:
        path: A WAV, FLAC, OGG or MP3 file, or a video.
        sampling_rate: Samples a second to convert to, or None for those of the file.
        channels: Channels of the result. One channel is repeated; several become one by their mean.

    Returns:
        Samples, float32 `(num_samples, channels)`, and the samples a second.

    Raises:
        CorruptFile: if the file is not sound, ends early, or has another number of channels.

    Example:

    >>> samples, rate = sound_clip(Path("rain.flac"), sampling_rate=16000)
    """
    if path.stat().st_size == 0:
        raise CorruptFile(path, "must be sound. Received: an empty file")
    if path.suffix.lower() in FILMS:
        found = film_sound(path)
        if found is None:
            raise CorruptFile(path, "must have sound. Received: a video without a sound track")
        samples, rate = found
    else:
        samples, rate = _decoded(path)
    return resampled(mixed(path, samples, channels), rate, sampling_rate)


def mixed(path, samples, channels):
    """Samples `(num_samples, n)` with `channels` channels."""
    if samples.shape[1] == channels:
        return samples
    if channels == 1:
        return samples.mean(1, keepdims=True)
    if samples.shape[1] == 1:
        return np.repeat(samples, channels, 1)
    wanted = f"{channels} channels, or one"
    raise CorruptFile(path, f"must have {wanted}. Received: {samples.shape[1]} channels")


def resampled(samples, rate, sampling_rate):
    """Samples at `sampling_rate`, unless that is None, and their rate."""
    if sampling_rate is None or rate == sampling_rate:
        return np.ascontiguousarray(samples, "float32"), rate
    soxr = require("soxr", "data")
    return soxr.resample(samples.astype("float32"), rate, sampling_rate), sampling_rate


def _decoded(path):
    soundfile = require("soundfile", "data")
    try:
        with soundfile.SoundFile(path) as file:
            stated, rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise CorruptFile(path, f"must be sound that can be decoded: {error}") from error
    if not len(samples) or len(samples) < stated:
        raise CorruptFile(path, f"must have {max(1, stated)} samples. Received: {len(samples)}")
    _check_wav(path)
    if not np.isfinite(samples).all():
        raise CorruptFile(path, "must have finite samples. Received: NaN or infinite ones")
    return samples, rate


def _check_wav(path):
    """Raises CorruptFile for a WAV file whose end is missing, which the decoder passes over."""
    with path.open("rb") as file:
        kind, size = file.read(4), int.from_bytes(file.read(4), "little")
    size, found = size + 8, path.stat().st_size
    streamed = size >= 2**32  # by a program that did not know the length beforehand
    if kind == b"RIFF" and found < size and not streamed:
        raise CorruptFile(path, f"must have the {size} bytes that it states. Received: {found}")
