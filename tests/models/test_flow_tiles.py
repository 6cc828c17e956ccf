"""Tiles cover an image, and are put together with weights."""

import numpy as np
import pytest
from keras import ops

from keras_perceiver.models.flow_tiles import cut_tiles, join_tiles, tile_starts, tile_weights


def starts_of(*arguments):
    return ops.convert_to_numpy(tile_starts(*arguments)).tolist()


def test_tiles_of_the_paper():
    """Sintel, 436 x 1024 in tiles of 368 x 496: six tiles."""
    assert starts_of(436, 368, 20) == [0, 68]
    assert starts_of(1024, 496, 20) == [0, 476, 528]
    assert starts_of(368, 368, 20) == [0]


@pytest.mark.parametrize("length", [37, 38, 57, 64, 69, 70, 101])
@pytest.mark.parametrize("min_overlap", [0, 5, 36])
def test_tiles_cover_the_image_and_overlap(length, min_overlap):
    starts = starts_of(length, 37, min_overlap)
    assert starts[0] == 0 and starts[-1] == length - 37
    steps = np.diff(starts)
    assert np.all((steps > 0) & (steps <= 37 - min_overlap))


def test_tiles_are_cut_image_by_image_and_row_by_row():
    frames = np.arange(2 * 3 * 5 * 7 * 1, dtype="float32").reshape(2, 3, 5, 7, 1)
    starts = [tile_starts(5, 3, 1), tile_starts(7, 4, 1)]
    tiles = ops.convert_to_numpy(cut_tiles(frames, starts, (3, 4)))
    corners = [(y, x) for y in (0, 2) for x in (0, 3)]
    wanted = [frames[b, :, y : y + 3, x : x + 4] for b in range(2) for y, x in corners]
    np.testing.assert_array_equal(tiles, wanted)


def test_weights_of_the_paper():
    weights = tile_weights((368, 496))
    for y, x in ((0, 0), (100, 7), (367, 495), (183, 248), (5, 490)):
        assert weights[y, x] == min(x + 1, 496 - x, y + 1, 368 - y)


@pytest.mark.parametrize("size", [(3, 4), (5, 7), (11, 4), (13, 17)])
def test_joined_tiles_are_their_weighted_mean(size):
    random = np.random.default_rng(0)
    tile, batch = (3, 4), 2
    starts = [tile_starts(n, t, 1) for n, t in zip(size, tile)]
    rows, columns = (ops.convert_to_numpy(s) for s in starts)
    values = random.normal(300, 1, (batch * len(rows) * len(columns), *tile, 2)).astype("float32")
    total, weights = np.zeros((batch, *size, 2)), np.zeros((batch, *size, 1))
    corners = [(b, y, x) for b in range(batch) for y in rows for x in columns]
    for (b, y, x), value in zip(corners, values):
        for i in range(3):
            for j in range(4):
                weight = min(i + 1, 3 - i, j + 1, 4 - j)
                weights[b, y + i, x + j] += weight
                total[b, y + i, x + j] += weight * value[i, j]
    joined = ops.convert_to_numpy(join_tiles(values, starts, size))
    np.testing.assert_allclose(joined, total / weights, rtol=1e-6)
