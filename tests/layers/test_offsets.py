"""Features with a large offset in common, as in `OFFSETS`. Every way equals plain."""

import keras
import numpy as np
import pytest

from keras_perceiver.layers import (
    CrossAttention,
    FourierEncoding,
    SeparableCrossAttention,
    SeparableQueryAttention,
)
from keras_perceiver.layers.layer_norm import LayerNorm
from tests.gradients import assert_gradients_equal, layer_gradients
from tests.random_values import OFFSETS, normal, randomize, randomize_alike, to_numpy

offsets = pytest.mark.parametrize("mean, spread", OFFSETS)
HARDEST = (1e4, 1e-2)
LATER = (pytest.mark.slow, pytest.mark.everywhere)


def offsets_and(names, *cases):
    """The first case with all offsets and the others with the hardest; the rest is slow."""
    return pytest.mark.parametrize(
        f"mean, spread, {names}",
        [
            pytest.param(
                *offset, *case, marks=LATER if case != cases[0] and offset != HARDEST else ()
            )
            for case in cases
            for offset in OFFSETS
        ],
    )


def drawn(mean, spread, *shape, seed=0):
    return normal(*shape, seed=seed, mean=mean, spread=spread)


def assert_equal(found, wanted):
    assert_gradients_equal(found, wanted, 1e-4, least=0.1)  # some are zero, but for rounding


def compare(plain, other, query, value, join):
    """Values and all gradients of both, with respect to the query and every weight."""
    wanted = layer_gradients(lambda q: plain(q, join(value)), (query,), plain.trainable_weights)
    found = layer_gradients(lambda q: other(q, value), (query,), other.trainable_weights)
    assert_equal(found, wanted)
    outputs = to_numpy([plain(query, join(value)), other(query, value)])
    largest = np.abs(outputs[0]).max()
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-4 * largest)


@offsets_and("length, channels", (13, 5), (1, 5), (97, 3), (31, 1))
def test_folded(mean, spread, length, channels):
    folded = SeparableCrossAttention({"inputs": None})
    plain = CrossAttention(chunked=False)
    value = {"inputs": {"features": drawn(mean, spread, 2, length, channels)}}
    query = normal(2, 7, 6)
    folded(query, value)
    randomize(folded)
    plain(query, value["inputs"]["features"])
    plain.set_weights(folded.get_weights())
    compare(plain, folded, query, value, lambda v: v["inputs"]["features"])


GRIDS = [((3, 5), 4), ((7,), 1), ((2, 3, 5), 3), ((1, 11), 2)]


@offsets_and("grid, channels, padding", *((*grid, padding) for padding in (3, 0) for grid in GRIDS))
def test_separable(mean, spread, grid, channels, padding):
    positions = {"grid": FourierEncoding(3, tuple(max(n, 2) for n in grid))}
    separable = SeparableCrossAttention(positions)
    value = {"grid": {"features": drawn(mean, spread, 2, *grid, channels)}}
    if padding:
        value["grid"]["padding"] = normal(padding)
    query = normal(2, 7, 6)
    separable(query, value)
    randomize(separable)
    plain = CrossAttention(chunked=False)
    plain(query, to_numpy(separable.join(value)))
    plain.set_weights(separable.get_weights())
    compare(plain, separable, query, value, separable.join)


@offsets_and("num_heads, length", (2, 101), (1, 101), (2, 11), (1, 11))
def test_by_inputs(mean, spread, num_heads, length):
    options = {"num_heads": num_heads, "qk_channels": 6, "v_channels": 10}
    plain, chunked = (CrossAttention(chunked=chunked, **options) for chunked in (False, True))
    query, value = normal(2, 7, 6), drawn(mean, spread, 2, length, 5)
    randomize_alike([plain, chunked], query, value)
    compare(plain, chunked, query, value, lambda v: v)


@offsets
def test_by_queries(mean, spread):
    options = {"num_heads": 2, "qk_channels": 6, "v_channels": 10, "use_query_residual": False}
    plain, chunked = (CrossAttention(chunked=chunked, **options) for chunked in (False, True))
    query, value = drawn(mean, spread, 2, 41, 6), drawn(mean, spread, 2, 5, 7, seed=1)
    randomize_alike([plain, chunked], query, value)
    wanted = layer_gradients(lambda v: plain(query, v), (value,), plain.trainable_weights)
    found = layer_gradients(lambda v: chunked(query, v), (value,), chunked.trainable_weights)
    assert_equal(found, wanted)


@offsets_and("grid, channels", ((3, 5), 4), ((7, 1), 2), ((2, 3, 5), 1))
def test_separable_queries(mean, spread, grid, channels):
    encoding = FourierEncoding(3, tuple(max(n, 2) for n in grid))
    separable = SeparableQueryAttention(encoding, use_query_residual=False)
    query, value = drawn(mean, spread, 2, *grid, channels), normal(2, 5, 7)
    separable(query, value)
    randomize(separable)
    plain = CrossAttention(chunked=False, use_query_residual=False)
    joined = to_numpy(separable.join(query))
    plain(joined, value)
    plain.set_weights(separable.get_weights())
    wanted = layer_gradients(lambda v: plain(joined, v), (value,), plain.trainable_weights)
    found = layer_gradients(lambda v: separable(query, v), (value,), separable.trainable_weights)
    assert_equal(found, wanted)


@offsets
def test_layer_norm_against_float64(mean, spread):
    x = drawn(mean, spread, 5, 37)
    wide = x.astype("float64")
    centred = wide - wide.mean(-1, keepdims=True)
    wanted = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    # The mean of 37 numbers of that size is known to some of their last places.
    tolerance = 1e-5 + 3e-7 * abs(mean) / spread
    np.testing.assert_allclose(to_numpy(LayerNorm()(x)), wanted, atol=tolerance)


@pytest.mark.parametrize("way", ["folded", "separable", "by inputs", "by queries"])
def test_float64_is_exact(way):
    """To 1e-10 of plain attention in float64 NumPy, of which float32 has but 1e-7."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Keras computes float64 as float32 on the other backends")
    rng = np.random.default_rng(0)
    query, features = rng.normal(size=(2, 7, 6)), 1013 + rng.normal(size=(2, 3, 5, 4))
    encoding = FourierEncoding(3, (3, 5), dtype="float64")
    if way in ("folded", "separable"):
        layer = SeparableCrossAttention(
            {"grid": encoding if way == "separable" else None}, activation="tanh", dtype="float64"
        )
        value = {"grid": {"features": features}}
    else:
        heads = {"num_heads": 2, "qk_channels": 6}
        layer = CrossAttention(chunked=True, activation="tanh", dtype="float64", **heads)
        value = features.reshape(2, 15, 4)
        if way == "by queries":
            query, value = rng.normal(size=(2, 41, 6)), value[:, :5]
    layer(query, value)
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape) * 0.5)
    array = to_numpy(layer.join(value)) if isinstance(value, dict) else value
    wanted = plain_in_numpy(layer, query, array)
    np.testing.assert_allclose(to_numpy(layer(query, value)), wanted, rtol=1e-10, atol=1e-10)


def plain_in_numpy(layer, query, value):
    """The block as the papers write it, in float64."""
    weights = {w.path.partition("/")[2]: to_numpy(w.value) for w in layer.weights}
    assert all(array.dtype == "float64" for array in weights.values())

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
        return x * weights[f"{name}/gamma"] + weights[f"{name}/beta"]

    def dense(x, name):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    def heads(x):
        return x.reshape(*x.shape[:2], layer.num_heads, -1).transpose(0, 2, 1, 3)

    read = norm(value, "value_norm")
    q = heads(dense(norm(query, "query_norm"), "attention/query"))
    k, v = (heads(dense(read, f"attention/{name}")) for name in ("key", "value"))
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1])
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (scores / scores.sum(-1, keepdims=True)) @ v
    mixed = mixed.transpose(0, 2, 1, 3).reshape(*query.shape[:2], -1)
    x = query + dense(mixed, "attention/output")
    hidden = np.tanh(dense(norm(x, "feed_forward_norm"), "feed_forward/hidden"))
    return x + dense(hidden, "feed_forward/output")
