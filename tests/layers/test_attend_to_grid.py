"""The engine of separable attention against the same sums written the usual way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_perceiver.layers.attend_to_grid import attend_to_grid
from tests.gradients import value_and_gradients
from tests.random_values import offsets, some_examples


def written_out(query, row_bias, column_bias, features, scale, mask, with_logsumexp):
    rows, columns = row_bias.shape[-1], column_bias.shape[-1]
    grid = (*query.shape[:2], rows, columns)
    s = ops.reshape(ops.einsum("bnc,bmc->bnm", query, features), grid)
    s = ops.reshape(s + row_bias[..., None] + column_bias[..., None, :], (*query.shape[:2], -1))
    s = s * scale[:, None]
    if mask is not None:
        s = ops.where(mask[:, None], s, -1e30)
    weights = ops.softmax(s) * scale[:, None]
    found = [ops.einsum("bnm,bmc->bnc", weights, features)]
    found += [ops.sum(ops.reshape(weights, grid), axis) for axis in (-1, -2)]
    if with_logsumexp:
        found.append(ops.logsumexp(s, axis=-1, keepdims=True))
    return ops.concatenate(found, axis=-1)


@pytest.mark.drawn
@some_examples
@given(
    batch=st.integers(1, 3),
    n=st.integers(1, 7),
    rows=st.integers(1, 5),
    columns=st.integers(2, 7),
    channels=st.integers(1, 5),
    masked=st.booleans(),
    with_logsumexp=st.booleans(),
    budget=st.sampled_from([None, 4, 60, 200]),
    offset=offsets,
    seed=st.integers(0, 2**16),
)
def test_values_and_gradients(
    batch, n, rows, columns, channels, masked, with_logsumexp, budget, offset, seed
):
    rng = np.random.default_rng(seed)
    cells = rows * columns
    shapes = [(batch, n, k) for k in (channels, rows, columns)] + [(batch, cells, channels)]
    arrays = [rng.normal(scale=0.5, size=shape).astype("float32") for shape in shapes]
    arrays.append(rng.uniform(0.5, 2, (batch, cells)).astype("float32"))
    mean, spread = offset
    arrays[0] /= np.float32(max(1.0, abs(mean)))  # queries for which no single cell gets all weight
    arrays[3] = np.float32(mean) + np.float32(spread) * arrays[3]
    mask = rng.random((batch, cells)) < 0.7 if masked else None
    if masked:
        mask[:, 0] = True
    upstream = rng.normal(size=(batch, n, channels + rows + columns + with_logsumexp))
    upstream = upstream.astype("float32")

    def ours(*arrays):
        return attend_to_grid(*arrays, mask=mask, with_logsumexp=with_logsumexp, budget=budget)

    def theirs(*arrays):
        return written_out(*arrays, mask, with_logsumexp)

    found = value_and_gradients(ours, arrays, upstream)
    wanted = value_and_gradients(theirs, arrays, upstream, compiled=False)
    size = max(1.0, abs(mean))  # of features; gradients are sums and differences of such numbers
    sizes = (size, size**2, size, size, 1.0, size)
    for ours_is, theirs_is, size in zip(found, wanted, sizes, strict=True):
        largest = max(size, np.abs(theirs_is).max())
        np.testing.assert_allclose(ours_is, theirs_is, atol=1e-5 * largest)


@pytest.mark.parametrize("budget", [None, 40])
def test_where_all_cells_are_masked_all_weigh_the_same(budget):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype("float32") for s in ((1, 3, 2), (1, 3, 5), (1, 3, 7))]
    features, scale = rng.normal(size=(1, 35, 2)).astype("float32"), np.ones((1, 35), "float32")
    mask = np.zeros((1, 35), bool)
    tensors = [ops.convert_to_tensor(array) for array in (*arrays, features, scale, mask)]
    found = ops.convert_to_numpy(attend_to_grid(*tensors, budget=budget))
    np.testing.assert_allclose(found[0, :, :2], np.tile(features[0].mean(0), (3, 1)), atol=1e-6)
    np.testing.assert_allclose(found[0, :, 2:7], 1 / 5, rtol=1e-6)
