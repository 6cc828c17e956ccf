"""Twenty steps from equal weights on equal batches: here, and recorded from PyTorch.

PyTorch trained in float64. So do the images here, with which steps of LAMB multiply the rounding
of float32 to 2e-3 of a loss; in float64, and with text in float32, losses agree to 2e-5 or better.
"""

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.checkpoints.small_models import SmallModel
from tests.training.torch_steps import (
    CASES,
    LEARNING_RATES,
    SETTINGS,
    batches,
    config,
    recorded,
    some,
)

pytestmark = pytest.mark.tensorflow
DTYPES = {"language": "float32", "learned": "float64"}
# The bias of keys cancels in the softmax. Its gradient is rounding, which both optimizers make a
# step of full size of, in another direction in each.
NEVER_REACHED = "key/bias"


def model_with(family, weights, folder):
    SmallModel(family).save(folder, weights)
    (folder / "config.json").write_text(config(family))
    return kp.from_preset(folder, compile=False, dtype=DTYPES[family])


def make_optimizer(family, name):
    if name == "lamb":
        return kp.training.Lamb(LEARNING_RATES[family, name], **SETTINGS[name])
    optimizer = keras.optimizers.AdamW(LEARNING_RATES[family, name], **SETTINGS[name])
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


NOT_RECORDED = 1e9


def recorded_weights(family, arrays, folder):
    """Our weights with the recorded numbers, and `NOT_RECORDED` where there is none."""
    shapes = SmallModel(family).shapes
    values = {name: np.full(shape, NOT_RECORDED, "float32") for name, shape in shapes.items()}
    assert set(arrays) == set(shapes)
    for name, array in arrays.items():
        some(values[name])[...] = array
    return model_with(family, values, folder).trainable_weights


@pytest.mark.slow
def test_the_first_steps_of_lamb(tmp_path):
    """The same, but short."""
    pytest.importorskip("safetensors")
    model = model_with("language", None, tmp_path)
    (output,) = model.output_descriptions.values()
    model.compile(make_optimizer("language", "lamb"), output.default_loss(), run_eagerly=True)
    losses = [
        float(model.train_on_batch(*batch)) for batch, _ in zip(batches("language"), range(4))
    ]
    np.testing.assert_allclose(losses, recorded("language", "lamb")[0][:4], rtol=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize("family, name", CASES)
def test_twenty_steps_as_in_pytorch(family, name, tmp_path):
    pytest.importorskip("safetensors")
    model = model_with(family, None, tmp_path)
    (output,) = model.output_descriptions.values()
    model.compile(make_optimizer(family, name), output.default_loss(), jit_compile=False)
    start = [weight.numpy() for weight in model.trainable_weights]
    losses = [float(model.train_on_batch(*batch)) for batch in batches(family)]
    expected, arrays = recorded(family, name)
    np.testing.assert_allclose(losses, expected, rtol=5e-5)

    count = 0
    values = recorded_weights(family, arrays, tmp_path)
    for weight, before, value in zip(model.trainable_weights, start, values):
        there = value.numpy() != NOT_RECORDED
        count += there.sum()
        if weight.path.endswith(NEVER_REACHED):
            continue
        error = np.abs(weight.numpy() - value.numpy())[there].max()
        way = np.abs(value.numpy() - before)[there].max()
        # All have gone a way; what is left of the difference is 1e-5 or a thousandth of it.
        assert way > 1e-3, weight.path
        assert error <= 1e-5 and error <= 1e-3 * way, (weight.path, error, way)
    assert count == sum(array.size for array in arrays.values())
