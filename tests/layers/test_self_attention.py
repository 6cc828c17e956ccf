import numpy as np
import pytest

from keras_perceiver.layers import SelfAttention
from tests.layers import reference
from tests.random_values import normal, randomize, to_numpy

INPUTS = normal(2, 5, 7)
PRESENT = np.array([[True, True, False, True, False], [True, False, True, True, True]])


@pytest.mark.parametrize(
    "widths, qk, v",
    [
        ({}, 7, 7),
        ({"qk_channels": 13}, 13, 13),
        ({"v_channels": 17}, 7, 17),
        ({"qk_channels": 13, "v_channels": 17}, 13, 17),
    ],
)
def test_widths_and_their_defaults(widths, qk, v):
    layer = SelfAttention(num_heads=1, widening_factor=3, **widths)
    assert layer(INPUTS).shape == (2, 5, 7)
    shapes = {path: weight.shape for path, weight in reference.weights_of(layer).items()}
    assert shapes == {
        **{f"attention_norm/{name}": (7,) for name in ("gamma", "beta")},
        "attention/query/kernel": (7, qk),
        "attention/query/bias": (qk,),
        "attention/key/kernel": (7, qk),
        "attention/key/bias": (qk,),
        "attention/value/kernel": (7, v),
        "attention/value/bias": (v,),
        "attention/output/kernel": (v, 7),
        "attention/output/bias": (7,),
        **{f"feed_forward_norm/{name}": (7,) for name in ("gamma", "beta")},
        "feed_forward/hidden/kernel": (7, 21),
        "feed_forward/hidden/bias": (21,),
        "feed_forward/output/kernel": (21, 7),
        "feed_forward/output/bias": (7,),
    }


@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu_erf"])
@pytest.mark.parametrize("num_heads", [1, 2])
def test_equals_the_reference(num_heads, activation):
    layer = SelfAttention(
        num_heads=num_heads,
        qk_channels=6,
        v_channels=10,
        widening_factor=2,
        activation=activation,
    )
    layer.build(INPUTS.shape)
    randomize(layer)
    allowed = PRESENT[:, None] & PRESENT[:, :, None]
    found = layer(INPUTS, mask=PRESENT, return_attention_scores=True)
    expected = reference.self_attention(
        INPUTS,
        reference.weights_of(layer),
        num_heads,
        activation=getattr(reference, activation),
        allowed=allowed,
    )
    for have, want in zip(to_numpy(found), expected):
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(to_numpy(found[1])[:, 0] > 0, allowed)


def test_a_causal_attention_mask():
    layer = SelfAttention(num_heads=1)
    causal = np.tril(np.ones((2, 5, 5), bool))
    changed = INPUTS.copy()
    changed[:, 3:] += 1
    before, after = to_numpy(
        [layer(INPUTS, attention_mask=causal), layer(changed, attention_mask=causal)]
    )
    np.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert np.abs(before - after)[:, 3:].max() > 0.1


def test_the_residual_is_the_input_before_its_norm():
    layer = SelfAttention(num_heads=1)
    layer.build(INPUTS.shape)
    randomize(layer)
    for dense in (layer.attention.output_layer, layer.feed_forward.output_layer):
        dense.kernel.assign(np.zeros(dense.kernel.shape))
        dense.bias.assign(np.zeros(dense.bias.shape))
    np.testing.assert_array_equal(to_numpy(layer(INPUTS)), INPUTS)


def test_dropout_changes_training_only():
    for rates in ({"dropout": 0.5}, {"attention_dropout": 0.5}):
        layer = SelfAttention(num_heads=1, **rates)
        inference, training = to_numpy([layer(INPUTS), layer(INPUTS, training=True)])
        np.testing.assert_array_equal(inference, to_numpy(layer(INPUTS)))
        assert np.abs(training - inference).max() > 1e-3


def test_the_residual_is_never_dropped():
    layer = SelfAttention(num_heads=1, dropout=0.999)
    outputs = to_numpy(layer(INPUTS, training=True))
    assert np.mean(outputs == INPUTS) > 0.9
