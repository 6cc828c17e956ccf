import keras
import numpy as np
import pytest

from keras_perceiver.layers import CrossAttention
from tests.layers import reference
from tests.random_values import normal, randomize, to_numpy

QUERY, VALUE = normal(2, 3, 7), normal(2, 5, 11, seed=1)
PRESENT = np.array([[True, True, False, True, False], [True, False, True, True, True]])


@pytest.mark.parametrize(
    "widths, qk, v",
    [
        ({}, 11, 11),
        ({"default_channels": "query"}, 7, 7),
        ({"qk_channels": 13}, 13, 13),
        ({"v_channels": 17}, 11, 17),
        ({"qk_channels": 13, "v_channels": 17}, 13, 17),
    ],
)
def test_widths_and_their_defaults(widths, qk, v):
    layer = CrossAttention(widening_factor=3, **widths)
    assert layer(QUERY, VALUE).shape == (2, 3, 7)
    shapes = {path: weight.shape for path, weight in reference.weights_of(layer).items()}
    assert shapes == {
        **{f"query_norm/{name}": (7,) for name in ("gamma", "beta")},
        **{f"value_norm/{name}": (11,) for name in ("gamma", "beta")},
        "attention/query/kernel": (7, qk),
        "attention/query/bias": (qk,),
        "attention/key/kernel": (11, qk),
        "attention/key/bias": (qk,),
        "attention/value/kernel": (11, v),
        "attention/value/bias": (v,),
        "attention/output/kernel": (v, 7),
        "attention/output/bias": (7,),
        **{f"feed_forward_norm/{name}": (7,) for name in ("gamma", "beta")},
        "feed_forward/hidden/kernel": (7, 21),
        "feed_forward/hidden/bias": (21,),
        "feed_forward/output/kernel": (21, 7),
        "feed_forward/output/bias": (7,),
    }


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu_erf"])
@pytest.mark.parametrize("num_heads", [1, 2])
def test_equals_the_reference(num_heads, activation, residual):
    layer = CrossAttention(
        num_heads=num_heads,
        qk_channels=6,
        v_channels=10,
        widening_factor=2,
        use_query_residual=residual,
        activation=activation,
    )
    layer.build(QUERY.shape, VALUE.shape)
    randomize(layer)
    found = layer(QUERY, VALUE, value_mask=PRESENT, return_attention_scores=True)
    expected = reference.cross_attention(
        QUERY,
        VALUE,
        reference.weights_of(layer),
        num_heads,
        residual=residual,
        activation=getattr(reference, activation),
        allowed=np.repeat(PRESENT[:, None], 3, axis=1),
    )
    for have, want in zip(to_numpy(found), expected):
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("residual", [True, False])
def test_the_residual_is_the_query_before_its_norm(residual):
    layer = CrossAttention(use_query_residual=residual)
    layer.build(QUERY.shape, VALUE.shape)
    randomize(layer)
    for dense in (layer.attention.output_layer, layer.feed_forward.output_layer):
        dense.kernel.assign(np.zeros(dense.kernel.shape))
        dense.bias.assign(np.zeros(dense.bias.shape))
    expected = QUERY if residual else np.zeros_like(QUERY)
    np.testing.assert_array_equal(to_numpy(layer(QUERY, VALUE)), expected)


def test_a_keras_mask_is_the_value_mask():
    value = np.where(PRESENT[..., None], VALUE, 0)
    query_in, value_in = keras.Input((3, 7)), keras.Input((5, 11))
    layer = CrossAttention()
    model = keras.Model([query_in, value_in], layer(query_in, keras.layers.Masking()(value_in)))
    found, explicit, unmasked = to_numpy(
        [model([QUERY, value]), layer(QUERY, value, value_mask=PRESENT), layer(QUERY, value)]
    )
    np.testing.assert_allclose(found, explicit, atol=1e-6)
    assert np.abs(found - unmasked).max() > 1e-3


def test_a_keras_mask_of_the_query_is_kept():
    query_in, value_in = keras.Input((3, 7)), keras.Input((5, 11))
    masked = keras.layers.Masking()(query_in)
    read = CrossAttention()(masked, keras.layers.Masking()(value_in))
    assert read._keras_mask is masked._keras_mask


def test_a_masked_query_reads_zeros():
    asked = np.array([[True, False, True], [False, True, True]])
    layer = CrossAttention(num_heads=1)
    layer.build(QUERY.shape, VALUE.shape)
    randomize(layer)
    read, scores = layer(QUERY, VALUE, query_mask=asked, return_attention_scores=True)
    np.testing.assert_array_equal(to_numpy(scores).sum(-1)[:, 0] > 0, asked)
    other = layer(QUERY, normal(2, 5, 11, seed=2), query_mask=asked)
    read, unmasked, other = to_numpy([read, layer(QUERY, VALUE), other])
    np.testing.assert_allclose(read[asked], unmasked[asked], atol=1e-5)
    np.testing.assert_allclose(read[~asked], other[~asked], atol=1e-5)
    assert np.abs(read[asked] - other[asked]).max() > 1e-2


def test_dropout_changes_training_only():
    for rates in ({"dropout": 0.5}, {"attention_dropout": 0.5}):
        layer = CrossAttention(**rates)
        inference, training = to_numpy([layer(QUERY, VALUE), layer(QUERY, VALUE, training=True)])
        np.testing.assert_array_equal(inference, to_numpy(layer(QUERY, VALUE)))
        assert np.abs(training - inference).max() > 1e-3
