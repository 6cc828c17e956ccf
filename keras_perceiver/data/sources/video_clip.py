"""Reads pictures of a video."""

import math

import numpy as np

from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.film import Film


def video_clip(path, num_frames, frame_rate, size, part=0.0, at_most=math.inf):
    """Decodes a clip of a video, square.

    The picture at a time is the last one that started by then. Pictures are resized so that their
    short side is `size`, and cropped at the centre.

    Args:
        path: A video that FFmpeg can read.
        num_frames: Pictures wanted, or None for all that fit.
        frame_rate: Pictures a second of the result.
        size: Height and width of the result.
        part: Where the clip lies, from 0 (at the start) to 1 (at the end).
        at_most: Without `num_frames`, the longest clip, in seconds.

    Returns:
        Pictures, uint8 `(num_frames, size, size, 3)`, and the second at which they start.

    Raises:
        CorruptFile: if the file is no video, cannot be decoded, ends before the end that it states,
            or is shorter than the clip.

    Example:

    >>> frames, start = video_clip("surfing/a.mp4", 16, frame_rate=25, size=224, part=0.5)
    """
    with Film(path) as film:
        if film.pictures is None:
            raise CorruptFile(path, "must have pictures. Received: a file without a video stream")
        length = film.length()
        if num_frames is None:
            num_frames = max(1, math.floor(min(length, at_most) * frame_rate + 0.01))
        wanted = num_frames / frame_rate
        if length < wanted - 0.5 / frame_rate:
            raise CorruptFile(path, f"must be {wanted:g} s long or more. Received: {length:g} s")
        start = max(0.0, part * (length - wanted))
        times = start + np.arange(num_frames) / frame_rate
        pictures = list(_pictures(film, times, size))
    if len(pictures) < num_frames:
        came = f"{len(pictures)} of {num_frames} pictures"
        raise CorruptFile(path, f"must have pictures up to {times[-1]:g} s. Received: {came}")
    return np.stack(pictures), start


def _pictures(film, times, size):
    """The picture shown at each of the seconds `times`, until the film ends."""
    times, shown = list(times), None
    step = 1 / float(film.pictures.average_rate or 25)
    for frame in film.frames(film.pictures, times[0]):
        while times and frame.time - film.origin > times[0] + 1e-3:
            yield _square(shown or frame, size)
            times.pop(0)
        if not times:
            return
        shown = frame
    while shown and times and times[0] < shown.time - film.origin + 1.5 * step:
        yield _square(shown, size)
        times.pop(0)


def _square(frame, size):
    scale = size / min(frame.width, frame.height)
    width, height = (max(size, round(side * scale)) for side in (frame.width, frame.height))
    pixels = frame.reformat(width, height, "rgb24", interpolation="BILINEAR").to_ndarray()
    top, left = (height - size) // 2, (width - size) // 2
    return pixels[top : top + size, left : left + size]
