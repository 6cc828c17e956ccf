import keras
import numpy as np
import pytest

from keras_perceiver.layers.activations import (
    gelu_erf,
    gelu_tanh,
    get_activation,
    serialize_activation,
)
from tests.layers import reference
from tests.random_values import to_numpy


def test_the_two_gelus():
    x = np.linspace(-6, 6, 1201).astype("float32")
    tensor = keras.ops.convert_to_tensor(x)
    tanh, erf = to_numpy([gelu_tanh(tensor), gelu_erf(tensor)])
    np.testing.assert_allclose(tanh, reference.gelu_tanh(np.float64(x)), atol=2e-6)
    np.testing.assert_allclose(erf, reference.gelu_erf(np.float64(x)), atol=2e-6)
    assert np.abs(tanh - erf).max() == pytest.approx(4.73e-4, rel=1e-2)


@pytest.mark.parametrize("function", [gelu_tanh, gelu_erf])
def test_half_precision_is_kept(function):
    x = keras.ops.ones((3,), "bfloat16")
    assert keras.backend.standardize_dtype(function(x).dtype) == "bfloat16"


@pytest.mark.parametrize("name", ["gelu_tanh", "gelu_erf", "relu", "tanh"])
def test_round_trip_by_name(name):
    function = get_activation(name)
    assert serialize_activation(function) == name
    assert get_activation(serialize_activation(function)) is function


def test_the_gradient_of_gelu_is_that_of_its_steps():
    from keras import ops

    from tests.gradients import value_and_gradients

    def by_steps(x):
        return 0.5 * x * (1.0 + ops.tanh((2.0 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))

    x = np.linspace(-6, 6, 101, dtype="float32")
    upstream = np.random.default_rng(0).normal(size=101).astype("float32")
    found, wanted = [value_and_gradients(f, [x], upstream) for f in (gelu_tanh, by_steps)]
    np.testing.assert_allclose(found[0], wanted[0], atol=1e-6)
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-5)
