"""Attention in chunks against attention all at once: values, gradients, masks, dropout."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_perceiver.layers import Attention
from keras_perceiver.layers.attend_by_queries import attend_by_queries
from keras_perceiver.layers.scores import by_heads
from tests.gradients import layer_gradients, value_and_gradients
from tests.random_values import normal, offsets, randomize_alike, some_examples, to_numpy


@pytest.mark.drawn
@some_examples
@given(
    batch=st.integers(1, 2),
    heads=st.integers(1, 3),
    n=st.integers(1, 9),
    m=st.integers(2, 9),
    width=st.integers(1, 5),
    masks=st.sets(st.sampled_from(["query", "value", "attention"])),
    budget=st.sampled_from([None, 4, 50, 120]),
    offset=offsets,
    of_values=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_values_and_gradients(batch, heads, n, m, width, masks, budget, offset, of_values, seed):
    """Keys or values share an offset: large scores, or large gradients of the weights."""
    rng = np.random.default_rng(seed)
    shapes = [(batch, k, heads * c) for k, c in ((n, width), (m, width), (m, 3))]
    arrays = [rng.normal(scale=0.7, size=shape).astype("float32") for shape in shapes]
    mean, spread = offset
    shared = 2 if of_values else 1
    arrays[shared] = np.float32(mean) + np.float32(spread) * arrays[shared]
    shapes = {"query": (batch, n, 1), "value": (batch, 1, m), "attention": (batch, n, m)}
    masks = [ops.convert_to_tensor(rng.random(shapes[kind]) < 0.7) for kind in sorted(masks)]
    upstream = rng.normal(size=(batch, n, heads * 3)).astype("float32")
    # Where nothing may be attended, `Attention` answers; here such rows have no gradient.
    allowed = np.ones((batch, n, m), bool)
    for mask in masks:
        allowed = allowed & to_numpy(mask)
    upstream = upstream * allowed.any(-1, keepdims=True)

    def ours(q, k, v):
        return attend_by_queries(q, k, v, heads, masks, budget=budget)

    def theirs(q, k, v):
        q, k, v = (by_heads(x, heads) for x in (q, k, v))
        s = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))
        read = ops.matmul(ops.softmax(ops.where(allowed[:, None], s, -1e30)), v)
        return ops.reshape(ops.transpose(read, (0, 2, 1, 3)), (batch, n, heads * 3))

    found = value_and_gradients(ours, arrays, upstream)
    wanted = value_and_gradients(theirs, arrays, upstream, compiled=False)
    # Scores and gradients of weights are differences of numbers as large as the offset.
    tolerance = 1e-5 + 3e-6 * abs(mean)
    for ours_is, theirs_is in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours_is, theirs_is, rtol=1e-5, atol=tolerance)


@pytest.mark.parametrize("n, m", [(7, 11), (11, 7)])
@pytest.mark.parametrize("masked_rows", ["zero", "uniform"])
@pytest.mark.parametrize("masks", [(), ("query_mask",), ("value_mask", "attention_mask")])
def test_the_layer_with_every_gradient(masks, masked_rows, n, m):
    shapes = {"query_mask": (2, n), "value_mask": (2, m), "attention_mask": (2, n, m)}
    rng = np.random.default_rng(0)
    masks = {name: rng.random(shapes[name]) < 0.5 for name in masks}
    layers = [
        Attention(2, 8, 6, masked_rows=masked_rows, chunked=chunked) for chunked in (False, True)
    ]
    query, value = normal(2, n, 5), normal(2, m, 3)
    randomize_alike(layers, query, value)
    wanted, found = [
        layer_gradients(lambda q, v: layer(q, v, **masks), (query, value), layer.weights)  # noqa: B023
        for layer in layers
    ]
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=2e-5, err_msg=name)


def read_and_weights(dropout, seed, budget, n=40, m=500):
    """With values that are unit vectors, what is read are the weights themselves."""
    q, k = normal(1, n, 2 * 4), normal(1, m, 2 * 4)
    v = np.tile(np.eye(m, dtype="float32"), (1, 1, 2))
    seed = ops.convert_to_tensor(seed, "int32")
    plain = attend_by_queries(q, k, v, 2)
    dropped = attend_by_queries(q, k, v, 2, (), dropout, seed, budget)
    return [to_numpy(by_heads(read, 2)) for read in (plain, dropped)]


@pytest.mark.parametrize("n, m", [(40, 500), (500, 40)])
@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share(dropout, n, m):
    plain, dropped = read_and_weights(dropout, 3, None, n, m)
    kept = dropped != 0
    assert kept.mean() == pytest.approx(1 - dropout, abs=0.01)
    np.testing.assert_allclose(dropped[kept], plain[kept] / (1 - dropout), rtol=1e-5)
    for axis in range(2, 4):  # no row, no column and no neighbours are alike
        assert np.abs(kept.mean(axis) - (1 - dropout)).max() < 0.35
    neighbours = np.corrcoef(kept[..., 1:].ravel(), kept[..., :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.03
    assert abs(np.corrcoef(kept[0, 0].ravel(), kept[0, 1].ravel())[0, 1]) < 0.03


@pytest.mark.parametrize("n, m", [(40, 500), (500, 40)])
def test_dropout_follows_from_the_seed_not_from_the_chunks(n, m):
    whole = read_and_weights(0.5, 3, None, n, m)[1]
    np.testing.assert_allclose(read_and_weights(0.5, 3, 4000, n, m)[1], whole, atol=1e-6)
    other = read_and_weights(0.5, 4, None, n, m)[1]
    assert 0.4 < ((other != 0) == (whole != 0)).mean() < 0.6


@pytest.mark.parametrize("n, m", [(3, 5), (5, 3)])
def test_gradients_through_dropout(n, m):
    """Against numbers: the same weights are dropped backward as forward."""
    arrays = [normal(1, n, 2), normal(1, m, 2, seed=1), normal(1, m, 2, seed=2)]
    seed, upstream = ops.convert_to_tensor(5, "int32"), normal(1, n, 2, seed=3)

    def read(*arrays):
        return attend_by_queries(*arrays, 1, (), 0.4, seed, 20)

    found = value_and_gradients(read, arrays, upstream)
    for i, array in enumerate(arrays):
        for index in np.ndindex(array.shape):
            moved = []
            for step in (1e-2, -1e-2):
                changed = [a.copy() for a in arrays]
                changed[i][index] += step
                moved.append((to_numpy(read(*changed)) * upstream).sum())
            slope = (moved[0] - moved[1]) / 2e-2
            np.testing.assert_allclose(found[1 + i][index], slope, atol=3e-3)


@pytest.mark.parametrize("n, m", [(7, 11), (11, 7)])
def test_training_drops_and_inference_does_not(n, m):
    layer = Attention(2, 8, 6, dropout=0.5, chunked=True)
    query, value = normal(2, n, 5), normal(2, m, 3)
    first, second = [to_numpy(layer(query, value, training=True)) for _ in range(2)]
    assert np.abs(first - second).max() > 1e-3
    first, second = [to_numpy(layer(query, value, training=False)) for _ in range(2)]
    np.testing.assert_array_equal(first, second)


def test_config_round_trip():
    layer = Attention(2, 8, chunked=True)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config() and copy.chunked is True
