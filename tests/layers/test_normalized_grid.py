"""Dot products and weighted sums of normalised cells, against the cells written out in float64."""

import numpy as np
import pytest
from keras import ops

from keras_perceiver.layers import FourierEncoding
from keras_perceiver.layers.normalized_grid import LONGEST_ROW, NormalizedGrid
from tests.random_values import normal, to_numpy

CASES = {
    "plane": ((3, 5), 4, True, 0),
    "with padding": ((3, 5), 4, True, 3),
    "line": ((7,), 2, True, 0),
    "volume": ((2, 3, 5), 1, True, 2),
    "no features": ((3, 5), 0, True, 0),
    "no positions": ((11,), 6, False, 0),
    "no positions, padding": ((11,), 6, False, 2),
    "one cell": ((1, 1), 3, True, 0),
    "rows that do not come out even": ((LONGEST_ROW + 17,), 2, False, 0),
}


@pytest.mark.parametrize("mean, spread", [(0.0, 1.0), (1013.0, 1.0), (1e4, 1e-2)])
@pytest.mark.parametrize("case", CASES)
def test_against_the_cells_written_out(case, mean, spread):
    grid, channels, positions, padding = CASES[case]
    features = (mean + spread * normal(2, *grid, channels)).astype("float32")
    length = int(np.prod(grid))
    parts, encoding, end = [features.reshape(2, length, channels)], None, None
    if positions:
        encoding = FourierEncoding(3, tuple(max(n, 2) for n in grid))
        encoding.build(features.shape)
        table = to_numpy(encoding.encode_grid(grid))
        parts.append(np.broadcast_to(table, (2, *table.shape)))
    if padding:
        end = normal(padding)
        parts.append(np.broadcast_to(end, (2, length, padding)))
    cells = np.concatenate(parts, axis=-1).astype("float64")
    centred = cells - cells.mean(-1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)

    found = NormalizedGrid(ops.convert_to_tensor(features), encoding, end)
    assert found.width == cells.shape[-1]
    np.testing.assert_allclose(
        to_numpy(found.scale)[:, :length],
        1 / np.sqrt((centred**2).mean(-1) + 1e-5),
        rtol=2e-4 if spread == 1e-2 else 1e-5,
    )
    vectors = normal(2, 3, found.width, seed=1)
    of_features, rows, columns = to_numpy(found.dot(ops.convert_to_tensor(vectors)))
    grid_sum = rows[..., :, None] + columns[..., None, :]
    scores = of_features @ to_numpy(found.features).transpose(0, 2, 1)
    scores = (scores + grid_sum.reshape(*rows.shape[:2], -1)) * to_numpy(found.scale)[:, None]
    wanted = vectors @ normed.transpose(0, 2, 1)
    np.testing.assert_allclose(scores[..., :length], wanted, atol=1e-4 * np.abs(wanted).max())

    weights = np.zeros((2, 3, found.rows * found.columns))
    weights[..., :length] = np.random.default_rng(2).random((2, 3, length)) / length
    scaled = (weights * to_numpy(found.scale)[:, None]).astype("float32")
    by_axis = scaled.reshape(2, 3, found.rows, found.columns)
    sums = [scaled @ to_numpy(found.features), by_axis.sum(-1), by_axis.sum(-2)]
    read = to_numpy(found.weighted(ops.convert_to_tensor(np.concatenate(sums, axis=-1))))
    wanted = weights[..., :length] @ normed
    np.testing.assert_allclose(read, wanted, atol=1e-4 * max(np.abs(wanted).max(), 0.1))


def test_rows_that_do_not_come_out_even_are_masked():
    found = NormalizedGrid(normal(1, LONGEST_ROW + 17, 2))
    mask = to_numpy(found.mask)
    assert mask.shape == (1, found.rows * found.columns) and found.columns <= LONGEST_ROW
    assert mask.sum() == LONGEST_ROW + 17 and mask[0, : LONGEST_ROW + 17].all()
