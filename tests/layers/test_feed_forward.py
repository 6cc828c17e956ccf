import numpy as np
import pytest

from keras_perceiver.layers import FeedForward
from tests.layers import reference
from tests.random_values import normal, randomize, to_numpy


@pytest.mark.parametrize(
    "activation, expected", [("gelu_tanh", 0.8411920), ("gelu_erf", 0.8413447), ("relu", 1.0)]
)
def test_an_answer_by_hand(activation, expected):
    layer = FeedForward(widening_factor=2, activation=activation)
    layer.build((1, 2))
    layer.hidden_layer.kernel.assign([[1, 0, 0, 0], [0, 0, 0, -1]])
    layer.hidden_layer.bias.assign([0, 0, 0, 0])
    layer.output_layer.kernel.assign([[100, 0], [0, 0], [0, 0], [0, 10]])
    layer.output_layer.bias.assign([0, 7])
    # Hidden: (1, 0, 0, 1) before the activation, from the input (1, -1).
    found = to_numpy(layer(np.array([[1.0, -1.0]], "float32")))
    np.testing.assert_allclose(found, [[100 * expected, 10 * expected + 7]], rtol=1e-6)


@pytest.mark.parametrize("widening_factor", [1, 3])
def test_equals_the_reference(widening_factor):
    inputs = normal(2, 3, 5, 7)  # any number of axes before the channels
    layer = FeedForward(widening_factor=widening_factor)
    layer.build(inputs.shape)
    randomize(layer)
    assert layer.hidden_layer.kernel.shape == (7, 7 * widening_factor)
    expected = reference.feed_forward(inputs, reference.weights_of(layer))
    np.testing.assert_allclose(to_numpy(layer(inputs)), expected, rtol=1e-5, atol=1e-5)


def test_dropout_changes_training_only():
    inputs, layer = normal(2, 3, 5), FeedForward(dropout=0.5)
    inference, training = to_numpy([layer(inputs), layer(inputs, training=True)])
    np.testing.assert_array_equal(inference, to_numpy(layer(inputs)))
    dropped = training == 0
    assert 0 < dropped.sum() < dropped.size
    np.testing.assert_allclose(training[~dropped], 2 * inference[~dropped], rtol=1e-5)


def test_a_residual_is_added_and_never_dropped():
    inputs, residual, layer = normal(2, 3, 5), normal(2, 3, 5, seed=1), FeedForward(dropout=0.5)
    expected = to_numpy(layer(inputs)) + residual
    np.testing.assert_allclose(to_numpy(layer(inputs, residual=residual)), expected, atol=1e-6)
    dropped = to_numpy(layer(inputs, residual=residual, training=True)) == residual
    assert 0 < dropped.sum() < dropped.size
