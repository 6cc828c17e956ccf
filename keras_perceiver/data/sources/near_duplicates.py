"""Groups of images that are almost the same."""

import numpy as np

from keras_perceiver.extras import require

_ROWS = 1000  # of the table of distances at once


def near_duplicates(images, distance: float) -> np.ndarray:
    """Groups images so that two of different groups differ by `distance` or more.

    The distance of two images is the root of the mean squared difference of their pixels, after
    each 2 x 2 pixels were averaged. Groups are chains: the ends of one may differ by more.

    Args:
        images: Array `(num_images, height, width)` with even height and width.
        distance: In the units of the pixels.

    Returns:
        For each image the number of its group, int32 array `(num_images,)`.

    Raises:
        ImportError: if scipy is not installed.
        ValueError: if `images` has another shape.

    Example:

    >>> near_duplicates(np.array([[[0, 0], [0, 0]], [[9, 9], [9, 9]], [[0, 0], [0, 4]]]), 3)
    array([0, 1, 0], dtype=int32)
    """
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1] % 2 or images.shape[2] % 2:
        raise ValueError(
            "`images` must be an array (num_images, height, width) with even height and width. "
            f"Received: images of shape {images.shape}"
        )
    sparse = require("scipy.sparse", "examples")
    graphs = require("scipy.sparse.csgraph", "examples")
    count, height, width = images.shape
    # Sums of four pixels and what is computed from them are whole numbers: nothing is rounded.
    small = images.reshape(count, height // 2, 2, width // 2, 2).sum((2, 4), dtype="float64")
    small = small.reshape(count, -1)
    squares = (small**2).sum(1)
    limit = distance**2 * 16 * small.shape[1]
    blocks = []
    for start in range(0, count, _ROWS):
        rows = small[start : start + _ROWS]
        apart = squares[start : start + _ROWS, None] + squares - 2 * rows @ small.T
        blocks.append(sparse.csr_array(apart < limit))
    return graphs.connected_components(sparse.vstack(blocks), directed=False)[1]
