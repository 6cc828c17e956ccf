"""Reads the sound track of a video."""

import math

import numpy as np

from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.film import Film

_LATE = 0.1  # seconds by which sound may start after the pictures, or end before them


def film_sound(path, start=0.0, seconds=None):
    """Decodes the sound track of a video.

    Sound that starts or ends up to 0.1 s late or early is silent there.

    Args:
        path: A video that FFmpeg can read.
        start: Where to start, in seconds after the first picture.
        seconds: How much to read, or None for all.

    Returns:
        Samples, float32 `(num_samples, channels)`, and the samples a second; None if the file has
        no sound track.

    Raises:
        CorruptFile: if the sound cannot be decoded, or does not cover the part that is wanted.

    Example:

    >>> samples, rate = film_sound("surfing/a.mp4", start=2.5, seconds=0.64)
    """
    with Film(path) as film:
        if film.sound is None:
            return None
        rate, end = film.sound.rate, math.inf if seconds is None else start + seconds
        samples, begin = _decoded(film, start - 0.2, end)  # codecs need some sound before
        if start > 0 and (begin is None or begin > start):  # the sound there is in an early packet
            samples, begin = _decoded(film, 0.0, end)
    first = math.inf if begin is None else round((start - begin) * rate)
    if first >= len(samples) or first < -_LATE * rate:
        came = "none there" if begin is None else f"sound from {begin:g} s on"
        raise CorruptFile(path, f"must have sound at {start:g} s. Received: {came}")
    samples = np.pad(samples, ((max(0, -first), 0), (0, 0)))[max(0, first) :]
    if seconds is None:
        return samples, rate
    wanted = math.ceil(seconds * rate)
    lacking = max(0, wanted - len(samples))
    if lacking > _LATE * rate:
        came = f"sound that ends {lacking / rate:.2f} s early"
        raise CorruptFile(
            path, f"must have {seconds:g} s of sound at {start:g} s. Received: {came}"
        )
    return np.pad(samples[:wanted], ((0, lacking), (0, 0))), rate


def _decoded(film, start, end):
    """Samples from `start` or earlier to `end` or later, and the second at which they start."""
    parts, begin = [np.zeros((0, film.sound.channels), "float32")], None
    to_float = film.av.AudioResampler(format="fltp", layout=film.sound.layout)
    for frame in film.frames(film.sound, start):
        if frame.time - film.origin >= end:
            break
        begin = frame.time - film.origin if begin is None else begin
        parts += [part.to_ndarray().T for part in to_float.resample(frame)]
    return np.concatenate(parts), begin
