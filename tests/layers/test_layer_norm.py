import keras
import numpy as np
import pytest

from keras_perceiver.layers.layer_norm import LayerNorm
from tests.gradients import layer_gradients


@pytest.fixture(name="norms")
def _norms():
    ours, keras_own = LayerNorm(), keras.layers.LayerNormalization(epsilon=1e-5)
    rng = np.random.default_rng(0)
    for layer in (ours, keras_own):
        layer.build((None, None, 12))
    weights = [rng.normal(size=12).astype("float32") for _ in range(2)]
    ours.set_weights(weights)
    keras_own.set_weights(weights)
    return ours, keras_own


@pytest.mark.parametrize("shape", [(12,), (3, 12), (2, 7, 12), (2, 3, 4, 12)])
@pytest.mark.parametrize("mean", [0.0, 100.0])
def test_values_and_gradients_are_those_of_keras(norms, shape, mean):
    x = (np.random.default_rng(1).normal(size=shape) + mean).astype("float32")
    values = [keras.ops.convert_to_numpy(norm(x)) for norm in norms]
    np.testing.assert_allclose(*values, atol=2e-6 * (1 + mean))
    found, wanted = [layer_gradients(norm, [x], norm.weights) for norm in norms]
    for (name, ours), theirs in zip(found.items(), wanted.values()):
        np.testing.assert_allclose(ours, theirs, atol=2e-5 * (1 + mean), err_msg=name)


def test_constant_inputs_give_the_offset_and_no_infinities(norms):
    found = layer_gradients(norms[0], [np.full((2, 12), 7.0, "float32")], norms[0].weights)
    assert all(np.isfinite(array).all() for array in found.values())


def test_half_precision_sums_in_float32(norms):
    ours = LayerNorm(dtype="mixed_bfloat16")
    ours.build((None, 4096))
    x = 300 + np.random.default_rng(0).normal(size=(4, 4096))
    x = keras.ops.cast(keras.ops.convert_to_tensor(x), "bfloat16")
    found = ours(x)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    wanted = keras.layers.LayerNormalization(epsilon=1e-5)(keras.ops.cast(x, "float32"))
    wanted = keras.ops.convert_to_numpy(wanted)
    found = keras.ops.convert_to_numpy(keras.ops.cast(found, "float32"))
    np.testing.assert_allclose(found, wanted, atol=0.02)


def test_it_is_saved_as_itself():
    layer = keras.layers.deserialize(keras.layers.serialize(LayerNorm(epsilon=1e-6)))
    assert type(layer) is LayerNorm
    assert layer.epsilon == 1e-6
