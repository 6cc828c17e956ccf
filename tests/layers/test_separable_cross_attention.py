"""Separable attention against the plain one it replaces, with the same weights."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_perceiver.layers import CrossAttention, FourierEncoding, SeparableCrossAttention
from tests.gradients import assert_gradients_equal, layer_gradients
from tests.random_values import normal, randomize, some_examples, to_numpy


def value_of(layer, seed=0, grids=((3, 5),), channels=(4,), paddings=(0,)):
    rng = np.random.default_rng(seed)
    value = {}
    for name, grid, c, padding in zip(layer.positions, grids, channels, paddings):
        value[name] = {"features": rng.normal(size=(2, *grid, c)).astype("float32")}
        if padding:
            value[name]["padding"] = rng.normal(size=padding).astype("float32")
    return value


def both_layers(positions, value, **options):
    """A separable layer with random weights and a plain one with the same."""
    separable = SeparableCrossAttention(positions, **options)
    separable(normal(2, 7, 6), value)
    randomize(separable)
    plain = CrossAttention(**options)
    plain(normal(2, 7, 6), to_numpy(separable.join(value)))
    plain.set_weights(separable.get_weights())
    return separable, plain


def assert_equal(found, wanted):
    assert_gradients_equal(found, wanted, 1e-5)


@pytest.mark.drawn
@some_examples
@given(
    grid=st.lists(st.integers(2, 6), min_size=1, max_size=3),
    channels=st.integers(1, 5),
    padding=st.sampled_from([0, 1, 3]),
    bands=st.integers(1, 3),
    concat_pos=st.booleans(),
    sine_only=st.booleans(),
    masked=st.booleans(),
    residual=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_equal_to_plain_with_every_gradient(
    grid, channels, padding, bands, concat_pos, sine_only, masked, residual, seed
):
    encoding = FourierEncoding(bands, tuple(grid), concat_pos=concat_pos, sine_only=sine_only)
    separable = SeparableCrossAttention({"grid": encoding})
    value = value_of(separable, seed, [grid], [channels], [padding])
    separable, plain = both_layers({"grid": encoding}, value, use_query_residual=residual)
    mask = None
    if masked:
        mask = np.random.default_rng(seed).random((2, int(np.prod(grid)))) < 0.7
        mask[0] = False  # one example with nothing to read
    query = normal(2, 7, 6)

    def whole(query, value):
        return plain(query, separable.join(value), value_mask=mask)

    def apart(query, value):
        return separable(query, value, value_mask=mask)

    wanted = layer_gradients(whole, (query, value), plain.trainable_weights)
    found = layer_gradients(apart, (query, value), separable.trainable_weights)
    assert_equal(found, wanted)


THREE = {"audio": FourierEncoding(2, (11,)), "image": FourierEncoding(3, (3, 5)), "label": None}


@pytest.mark.parametrize("masked", [False, True])
def test_several_parts_with_padding(masked):
    layer = SeparableCrossAttention(THREE)
    # Widths 4 + 5 + 10, 2 + 14 + 3 and 19 alone.
    value = value_of(layer, 3, ((11,), (3, 5), (2,)), (4, 2, 19), (10, 3, 0))
    separable, plain = both_layers(THREE, value)
    mask = np.random.default_rng(3).random((2, 28)) < 0.6 if masked else None
    query = normal(2, 7, 6)
    wanted = layer_gradients(
        lambda q, v: plain(q, separable.join(v), value_mask=mask), (query, value), plain.weights
    )
    found = layer_gradients(
        lambda q, v: separable(q, v, value_mask=mask), (query, value), separable.weights
    )
    assert_equal(found, wanted)


@pytest.mark.parametrize("masks", [{}, {"query_mask": (2, 7)}, {"value_mask": (2, 15)}])
@pytest.mark.parametrize("masked_rows", ["zero", "uniform"])
def test_masks_and_scores(masks, masked_rows):
    positions = {"image": FourierEncoding(3, (3, 5))}
    value = value_of(SeparableCrossAttention(positions))
    separable, plain = both_layers(positions, value, masked_rows=masked_rows)
    rng = np.random.default_rng(1)
    masks = {name: rng.random(shape) < 0.5 for name, shape in masks.items()}
    query, whole = normal(2, 7, 6), separable.join(value)
    wanted, scores = plain(query, whole, return_attention_scores=True, **masks)
    found = separable(query, value, **masks)
    np.testing.assert_allclose(to_numpy(found), to_numpy(wanted), atol=1e-5)
    found, found_scores = separable(query, value, return_attention_scores=True, **masks)
    np.testing.assert_allclose(to_numpy(found), to_numpy(wanted), atol=1e-5)
    np.testing.assert_allclose(to_numpy(found_scores), to_numpy(scores), atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_statistics_keep_float32_under_mixed_precision(dtype):
    """Features a thousand times as large as their spread: half precision would see none of it."""
    positions = {"image": FourierEncoding(3, (3, 5))}
    value = {"image": {"features": 1000.0 + normal(2, 3, 5, 24)}}
    separable, _ = both_layers(positions, value)
    half = SeparableCrossAttention(positions, dtype=dtype)
    half(normal(2, 7, 6), value)
    half.set_weights(separable.get_weights())
    found, wanted = (
        to_numpy(half(normal(2, 7, 6), value)),
        to_numpy(separable(normal(2, 7, 6), value)),
    )
    found_dtype = keras.backend.standardize_dtype(half(normal(2, 7, 6), value).dtype)
    assert found_dtype == dtype.removeprefix("mixed_")
    np.testing.assert_allclose(found.astype("float32"), wanted, atol=0.1)


def test_names_of_weights_are_those_of_cross_attention():
    positions = {"image": FourierEncoding(3, (3, 5))}
    separable, plain = both_layers(positions, value_of(SeparableCrossAttention(positions)))
    parts = [[w.path.partition("/")[2] for w in layer.weights] for layer in (separable, plain)]
    assert parts[0] == parts[1]


def test_config_round_trip():
    layer = SeparableCrossAttention(THREE, widening_factor=2)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()


def test_quantized_weights_are_used():
    positions = {"image": FourierEncoding(3, (3, 5))}
    value = value_of(SeparableCrossAttention(positions))
    separable, plain = both_layers(positions, value)
    separable.attention.key_layer.quantize("int8")
    plain.attention.key_layer.quantize("int8")
    whole = separable.join(value)
    np.testing.assert_allclose(
        to_numpy(separable(normal(2, 7, 6), value)),
        to_numpy(plain(normal(2, 7, 6), whole)),
        atol=1e-5,
    )


def test_a_mask_of_the_wrong_length():
    positions = {"image": FourierEncoding(3, (3, 5))}
    value = value_of(SeparableCrossAttention(positions))
    separable, _ = both_layers(positions, value)
    with pytest.raises(ValueError, match=r"`value_mask` must have shape \(2, 15\)"):
        separable(normal(2, 7, 6), value, value_mask=ops.ones((2, 14), "bool"))


@pytest.mark.parametrize(
    "options", [{"num_heads": 2, "qk_channels": 8}, {"attention_dropout": 0.1}]
)
def test_what_it_does_not_do(options):
    with pytest.raises(ValueError, match="`num_heads` must be 1 and `attention_dropout` 0"):
        SeparableCrossAttention(THREE, **options)


def test_parts_of_different_widths():
    layer = SeparableCrossAttention({"a": None, "b": None})
    value = value_of(layer, 0, ((3,), (4,)), (5, 6), (0, 0))
    with pytest.raises(ValueError, match=r"`value` must have parts of one width.*'a': 5, 'b': 6"):
        layer(normal(2, 7, 6), value)
