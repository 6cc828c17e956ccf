"""A directory written on one backend is read on another: the same bits, nearly the same answers."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import randomize, to_numpy

READ = """
import sys
import numpy as np
import keras
import keras_perceiver as kp
assert keras.backend.backend() == "jax"
model = kp.from_preset(sys.argv[1])
arrays = {weight.path: np.asarray(weight) for weight in model.weights}
arrays["answer"] = np.asarray(model(np.load(sys.argv[2])))
np.savez(sys.argv[3], **arrays)
model.save_to_preset(sys.argv[4])
"""


@pytest.mark.slow
@pytest.mark.tensorflow
def test_from_tensorflow_to_jax_and_back(tmp_path):
    pytest.importorskip("jax")
    assert keras.backend.backend() == "tensorflow"
    model = randomize(kp.build_classifier(kp.Image(7, 5, 2, normalize=True), 3, latent_dim=16))
    images = np.random.default_rng(0).normal(3000, 1, (2, 7, 5, 2)).astype("float32")
    np.save(tmp_path / "images.npy", images)
    model.save_to_preset(tmp_path / "tensorflow")
    paths = [tmp_path / name for name in ("tensorflow", "images.npy", "found.npz", "jax")]
    subprocess.run(
        [sys.executable, "-c", READ, *map(str, paths)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        cwd=Path(__file__).parents[2],
        check=True,
        timeout=300,
    )
    back = kp.from_preset(tmp_path / "jax")
    with np.load(tmp_path / "found.npz") as found:
        for weight, returned in zip(model.weights, back.weights):
            np.testing.assert_array_equal(to_numpy(weight), found[weight.path])
            np.testing.assert_array_equal(to_numpy(weight), to_numpy(returned))
        np.testing.assert_allclose(to_numpy(model(images)), found["answer"], rtol=1e-4, atol=1e-4)
