"""Reads optical flow from a .flo file."""

import numpy as np

from keras_perceiver.data.sources.corrupt_file import CorruptFile

_MAGIC = np.array(202021.25, "<f4").tobytes()  # the letters PIEH
_UNKNOWN = 1e9  # larger values stand for unknown flow


def flo_flow(path):
    """Reads a file of optical flow as Sintel, Middlebury and AutoFlow have it.

    The file is little-endian: 202021.25 as float32, width and height as int32, then for each row
    the movement right and the movement down of each pixel, in pixels, as float32.

    Args:
        path: The file.

    Returns:
        Flow, float32 `(height, width, 2)`, and where it is known, bool `(height, width)`; unknown
        flow (above 1e9, or not finite) is 0.

    Raises:
        CorruptFile: if the file does not start like this or has another length.

    Example:

    >>> flow, known = flo_flow("training/flow/alley_1/frame_0001.flo")

    Reference: S. Baker et al., "A Database and Evaluation Methodology for Optical Flow", 2011.
    """
    encoded = path.read_bytes()
    if encoded[:4] != _MAGIC:
        came = "an empty file" if not encoded else f"{encoded[:4]!r}"
        raise CorruptFile(path, f"must start with 202021.25, which is {_MAGIC!r}. Received: {came}")
    width, height = np.frombuffer(encoded[4:12].ljust(8, b"\0"), "<i4").tolist()
    size = 12 + 8 * width * height
    if width < 1 or height < 1 or len(encoded) != size:
        wanted = f"{size} bytes for {width} x {height} pixels (at least 1 x 1)"
        raise CorruptFile(path, f"must have {wanted}. Received: {len(encoded)} bytes")
    flow = np.frombuffer(encoded, "<f4", offset=12).reshape(height, width, 2)
    known = (np.abs(flow) <= _UNKNOWN).all(-1)  # False for NaN
    return np.where(known[..., None], flow, 0).astype("float32"), known
