"""On JAX, Keras' own `keras.distribution` divides the data or the weights of our models."""

import importlib.util
import json

import numpy as np
import pytest

from tests.training import processes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed"),
]


@pytest.fixture(scope="module")
def trained():
    printed = processes.run(
        "jax_script.py",
        KERAS_BACKEND="jax",
        JAX_PLATFORMS="cpu",
        XLA_FLAGS="--xla_force_host_platform_device_count=2",
    )
    return json.loads(printed.splitlines()[-1])


@pytest.mark.parametrize("name", ["data_parallel", "model_parallel"])
def test_two_devices_equal_one(trained, name):
    one, two = trained["one"], trained[name]
    assert trained["device_count"] == 2
    assert one["devices"] == [1] and two["devices"] == [2]
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=0, atol=1e-5)
    for found, expected in zip(two["weights"], one["weights"], strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_weights_are_divided_in_model_parallel_training(trained):
    assert trained["data_parallel"]["divided"] == []
    assert len(trained["model_parallel"]["divided"]) == 6  # two matrices in each of three blocks
