"""Small frames of a video file."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_perceiver.extras import require


def video_frames(path: Path, height: int, width: int) -> np.ndarray:
    """Decodes a video and scales its frames down.

    The largest rectangle of the ratio `height` : `width` is cut out of the middle of each frame,
    and its pixels are averaged over the cells of the small frame.

    Args:
        path: Path of a file that FFmpeg reads.
        height: Height of the small frames, in pixels.
        width: Their width.

    Returns:
        The frames, uint8 array `(num_frames, height, width, 3)`.

    Raises:
        ImportError: if PyAV is not installed.
        ValueError: if a frame is smaller than asked for.

    Example:

    >>> video_frames(Path("bigbuckbunny.mp4"), 64, 64).shape
    (132, 64, 64, 3)
    """
    frames = []
    with require("av", "data").open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.height < height or frame.width < width:
                raise ValueError(
                    f"`height` and `width` must be at most {frame.height} and {frame.width}, those "
                    f"of {path}. Received: height={height}, width={width}"
                )
            scale = min(frame.height / height, frame.width / width)
            rows, columns = round(height * scale), round(width * scale)
            top, left = (frame.height - rows) // 2, (frame.width - columns) // 2
            pixels = frame.to_ndarray(format="rgb24")[top : top + rows, left : left + columns]
            with tf.device("CPU:0"):
                small = tf.image.resize(pixels, (height, width), method="area")
            frames.append(np.round(small.numpy()).astype("uint8"))
    return np.stack(frames)
