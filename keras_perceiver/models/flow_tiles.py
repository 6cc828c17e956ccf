"""Large images as overlapping tiles, and one answer from those of the tiles."""

import numpy as np
from keras import ops


def tile_starts(length, tile, min_overlap):
    """First rows or columns `(num_tiles,)` of tiles that cover `length`; the last ends there.

    Args:
        length: Size of the image, at least `tile`; an int or an integer scalar tensor.
        tile: Size of a tile.
        min_overlap: Smallest overlap of neighbouring tiles, less than `tile`.

    Reference: Perceiver IO (arXiv 2107.14795), appendix H.
    """
    step = tile - min_overlap
    count = (length - tile + step - 1) // step + 1
    return ops.minimum(ops.arange(count) * step, length - tile)


def cut_tiles(frames, starts, tile):
    """Tiles of frames, image by image and row by row.

    Args:
        frames: Array `(batch, num_frames, height, width, channels)`.
        starts: `tile_starts` of the height and of the width.
        tile: Height and width of a tile.

    Returns:
        Array `(batch * num_tiles, num_frames, *tile, channels)`.
    """
    rows, columns = _places(starts, tile)
    cut = ops.take(frames, rows, axis=2)  # (batch, frames, tile row, row, width, channels)
    cut = ops.take(cut, columns, axis=4)  # ... tile row, row, tile column, column, channels
    cut = ops.transpose(cut, (0, 2, 4, 1, 3, 5, 6))
    return ops.reshape(cut, (-1, frames.shape[1], *tile, frames.shape[-1]))


def join_tiles(values, starts, size):
    """The weighted mean of tiles where they overlap.

    Weights decrease from the middle of a tile to 1 at its edges.

    Args:
        values: Array `(batch * num_tiles, *tile, channels)` in the order of `cut_tiles`.
        starts: `tile_starts` of the height and of the width.
        size: Height and width of an image.

    Returns:
        float32 array `(batch, height, width, channels)`.
    """
    values = ops.cast(values, "float32")
    tile, channels = tuple(values.shape[1:3]), values.shape[-1]
    rows, columns = _places(starts, tile)
    grid = (ops.shape(rows)[0], ops.shape(columns)[0])
    weight = tile_weights(tile)[..., None]
    weighted = ops.concatenate([values * weight, ops.ones_like(values[..., :1]) * weight], axis=-1)
    # Rows of all tiles are added up first, then columns: (tile row, row, tile column, column, ...).
    array = ops.reshape(weighted, (-1, *grid, *tile, channels + 1))
    batch = ops.shape(array)[0]
    array = ops.transpose(array, (1, 3, 2, 4, 0, 5))
    array = ops.reshape(array, (grid[0] * tile[0], -1))
    array = ops.segment_sum(array, ops.reshape(rows, (-1,)), size[0])
    array = ops.reshape(array, (size[0], grid[1] * tile[1], -1))
    array = ops.reshape(ops.transpose(array, (1, 0, 2)), (grid[1] * tile[1], -1))
    array = ops.segment_sum(array, ops.reshape(columns, (-1,)), size[1])
    array = ops.reshape(array, (size[1], size[0], batch, channels + 1))
    array = ops.transpose(array, (2, 1, 0, 3))
    return array[..., :channels] / array[..., channels:]


def tile_weights(tile):
    """Distance of each pixel of a tile to its nearest edge, from 1, NumPy float32 `tile`."""
    rows, columns = np.arange(tile[0])[:, None], np.arange(tile[1])
    down, right = np.minimum(rows + 1, tile[0] - rows), np.minimum(columns + 1, tile[1] - columns)
    return np.minimum(down, right).astype("float32")


def _places(starts, tile):
    """Rows `(tile rows, height)` and columns `(tile columns, width)` of the pixels of tiles."""
    return tuple(ops.expand_dims(s, -1) + ops.arange(size) for s, size in zip(starts, tile))
