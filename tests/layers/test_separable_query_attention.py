"""Separable queries against the plain ones they replace, with the same weights."""

import keras
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keras_perceiver.layers import CrossAttention, FourierEncoding, SeparableQueryAttention
from keras_perceiver.layers.attend_from_grid import attend_from_grid
from tests.gradients import assert_gradients_equal, layer_gradients, value_and_gradients
from tests.random_values import normal, offsets, randomize, some_examples, to_numpy


def both_layers(encoding, grid, channels, **options):
    separable = SeparableQueryAttention(encoding, **options)
    query, value = normal(2, *grid, channels), normal(2, 7, 6)
    separable(query, value)
    randomize(separable)
    plain = CrossAttention(**options)
    plain(to_numpy(separable.join(query)), value)
    plain.set_weights(separable.get_weights())
    return separable, plain, query, value


@pytest.mark.drawn
@some_examples
@given(
    rows=st.integers(1, 5),
    columns=st.integers(1, 6),
    n=st.integers(1, 7),
    channels=st.integers(1, 4),
    batch=st.integers(1, 2),
    budget=st.sampled_from([None, 1, 60, 200]),
    offset=offsets,
    seed=st.integers(0, 2**16),
)
def test_values_and_gradients_of_the_engine(
    rows, columns, n, channels, batch, budget, offset, seed
):
    from keras import ops

    rng = np.random.default_rng(seed)
    cells = rows * columns
    shapes = [(n, channels), (n, rows), (n, columns), (n,), (n, 3), (cells, channels)]
    arrays = [rng.normal(scale=0.5, size=(batch, *s)).astype("float32") for s in shapes]
    arrays.append(rng.uniform(0.5, 2, (batch, cells)).astype("float32"))
    mean, spread = offset
    arrays[0] /= np.float32(max(1.0, abs(mean)))  # keys for which no single one gets all weight
    arrays[5] = np.float32(mean) + np.float32(spread) * arrays[5]

    def ours(*arrays):
        return attend_from_grid(*arrays, budget=budget)

    def theirs(key, row_bias, column_bias, bias, value, features, scale):
        s = ops.einsum("bnc,bmc->bnm", key, features)
        grid = row_bias[..., None] + column_bias[..., None, :]
        s = (s + ops.reshape(grid, (batch, n, cells))) * scale[:, None] + bias[..., None]
        return ops.einsum("bnm,bnv->bmv", ops.exp(s - ops.logsumexp(s, 1, keepdims=True)), value)

    upstream = rng.normal(size=(batch, cells, 3)).astype("float32")
    found = value_and_gradients(ours, arrays, upstream)
    wanted = value_and_gradients(theirs, arrays, upstream, compiled=False)
    sizes = [1.0] * 8
    sizes[1] = max(1.0, abs(mean))  # the gradient of the keys is a sum over features
    for ours_is, theirs_is, size in zip(found, wanted, sizes, strict=True):
        largest = max(size, np.abs(theirs_is).max())
        np.testing.assert_allclose(ours_is, theirs_is, atol=1e-5 * largest)


@pytest.mark.drawn
@some_examples
@given(
    grid=st.lists(st.integers(2, 5), min_size=1, max_size=3),
    channels=st.integers(0, 4),
    bands=st.integers(1, 3),
    sine_only=st.booleans(),
    residual=st.booleans(),
    widths=st.sampled_from([(None, None), (4, 3), (3, 40)]),
    seed=st.integers(0, 2**16),
)
def test_equal_to_plain_with_every_gradient(
    grid, channels, bands, sine_only, residual, widths, seed
):
    encoding = FourierEncoding(bands, tuple(grid), sine_only=sine_only)
    options = dict(zip(("qk_channels", "v_channels"), widths), use_query_residual=residual)
    # Normalising two or three almost equal numbers magnifies the rounding of any computation.
    assume(channels + encoding.num_features(len(grid)) >= 4)
    separable, plain, query, value = both_layers(encoding, grid, channels, **options)
    wanted = layer_gradients(
        lambda q, v: plain(separable.join(q), v), (query, value), plain.trainable_weights
    )
    found = layer_gradients(separable, (query, value), separable.trainable_weights)
    assert_gradients_equal(found, wanted, 1e-5)


@pytest.mark.parametrize("masked_rows", ["zero", "uniform"])
@pytest.mark.parametrize("masks", [{}, {"query_mask": (2, 15)}, {"value_mask": (2, 7)}])
def test_masks_and_scores(masks, masked_rows):
    encoding = FourierEncoding(3, (3, 5))
    separable, plain, query, value = both_layers(encoding, (3, 5), 2, masked_rows=masked_rows)
    rng = np.random.default_rng(1)
    masks = {name: rng.random(shape) < 0.5 for name, shape in masks.items()}
    whole = separable.join(query)
    wanted, scores = plain(whole, value, return_attention_scores=True, **masks)
    for found in (separable(query, value, **masks), separable(whole, value, **masks)):
        np.testing.assert_allclose(to_numpy(found), to_numpy(wanted), atol=1e-5)
    found, found_scores = separable(query, value, return_attention_scores=True, **masks)
    np.testing.assert_allclose(to_numpy(found_scores), to_numpy(scores), atol=1e-6)


def test_names_of_weights_and_config():
    separable, plain, _, _ = both_layers(FourierEncoding(3, (3, 5)), (3, 5), 2)
    paths = [[w.path.partition("/")[2] for w in layer.weights] for layer in (separable, plain)]
    assert paths[0] == paths[1]
    copy = keras.layers.deserialize(keras.layers.serialize(separable))
    assert copy.get_config() == separable.get_config()


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(dtype):
    encoding = FourierEncoding(3, (3, 5))
    separable, _, query, value = both_layers(encoding, (3, 5), 2)
    half = SeparableQueryAttention(encoding, dtype=dtype)
    half(query, value)
    half.set_weights(separable.get_weights())
    found = half(query, value)
    assert keras.backend.standardize_dtype(found.dtype) == dtype.removeprefix("mixed_")
    wanted = to_numpy(separable(query, value))
    np.testing.assert_allclose(to_numpy(found).astype("float32"), wanted, atol=0.1)


def test_what_it_does_not_do():
    with pytest.raises(ValueError, match="`num_heads` must be 1 and `attention_dropout` 0"):
        SeparableQueryAttention(FourierEncoding(3, (3, 5)), num_heads=2)
