"""The papers' classifiers have exactly the papers' parameters."""

import keras
import pytest
from keras import ops

import keras_perceiver as kp
from keras_perceiver import presets

UNSHARED = {"share_cross_attends": False, "share_latent_transformers": False}


@pytest.fixture(autouse=True)
def zero_weights(monkeypatch):
    """Drawing hundreds of millions of random numbers takes most of the time of these tests."""
    for initializer in (keras.initializers.VarianceScaling, keras.initializers.TruncatedNormal):
        monkeypatch.setattr(
            initializer, "__call__", lambda self, shape, dtype=None: ops.zeros(shape, dtype)
        )


@pytest.mark.parametrize(
    "preset, changes, expected",
    [
        (presets.PERCEIVER_IMAGENET, {}, 44_912_254),
        (presets.PERCEIVER_IMAGENET, {"num_cross_attends": 1}, 42_135_859),
        pytest.param(presets.PERCEIVER_IMAGENET, UNSHARED, 326_241_856, marks=pytest.mark.slow),
        (presets.PERCEIVER_IO_IMAGENET, {}, 48_440_627),
    ],
    ids=["eight_cross_attends", "one_cross_attend", "nothing_shared", "perceiver_io"],
)
def test_number_of_parameters(preset, changes, expected):
    image = kp.Array((224, 224, 3), num_bands=64)
    model = kp.build_classifier(image, 1000, **{**preset, **changes}, compile=False)
    assert model.count_params() == expected
