"""The sound of a video file."""

from pathlib import Path

import numpy as np

from keras_perceiver.extras import require


def sound_track(path: Path, rate: int) -> np.ndarray:
    """Decodes the sound of a file as two channels.

    Args:
        path: Path of a file that FFmpeg reads, with sound in any number of channels. They are mixed
            to left and right.
        rate: Samples in a second; the sound is resampled if it has another rate.

    Returns:
        float32 array `(num_samples, 2)`, from -1 to 1.

    Raises:
        ImportError: if PyAV is not installed.
        ValueError: if the file has no sound.

    Example:

    >>> sound_track(Path("bigbuckbunny.mp4"), 48000).shape
    (254976, 2)
    """
    av = require("av", "data")
    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise ValueError(f"`path` must be a file with sound. Received: {path}")
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
        pieces = [
            piece.to_ndarray()
            for frame in [*container.decode(audio=0), None]
            for piece in resampler.resample(frame)
        ]
    return np.concatenate(pieces, axis=1).T
