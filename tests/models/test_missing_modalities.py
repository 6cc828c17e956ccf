"""A modality that may be missing: its entry and its flag can be left out."""

import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, randomize, to_numpy

SMALL = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "jit_compile": False,
}


@pytest.fixture(scope="module")
def model():
    inputs = {
        "image": kp.Image(4, 6, may_be_missing=True),
        "sound": kp.Audio(20, 4),
        "cloud": kp.Points(num_features=2, masked=True, may_be_missing=True, num_bands=3),
    }
    model = randomize(kp.build_perceiver_io(inputs, kp.Classes(3), **SMALL))
    model.run_eagerly = model.encoder.run_eagerly = True  # arrays are filled in before any tracing
    return model


IMAGE, SOUND, CLOUD = normal(2, 4, 6, 3), normal(2, 20, 1), np.tanh(normal(2, 5, 3))
ABSENT, THERE = np.zeros((2, 1), bool), np.ones((2, 1), bool)
CLOUD_PARTS = {"cloud_features": normal(2, 5, 2), "cloud_mask": np.ones((2, 5), bool)}
NO_CLOUD = {
    "cloud": np.zeros((2, 1, 3), "float32"),
    "cloud_features": np.zeros((2, 1, 2), "float32"),
    "cloud_mask": np.ones((2, 1), bool),
    "cloud_present": ABSENT,
}
IN_FULL = {
    "no image": {
        "image": np.zeros_like(IMAGE),
        "image_present": ABSENT,
        "sound": SOUND,
        **NO_CLOUD,
    },
    "image": {"image": IMAGE, "image_present": THERE, "sound": SOUND, **NO_CLOUD},
    "some": {"image": IMAGE, "image_present": THERE * [[1], [0]] > 0, "sound": SOUND, **NO_CLOUD},
    "cloud": {
        "image": np.zeros_like(IMAGE),
        "image_present": ABSENT,
        "sound": SOUND,
        "cloud": CLOUD,
        "cloud_present": THERE,
        **CLOUD_PARTS,
    },
}
SHORT = {
    "absent": ("no image", {"sound": SOUND}),
    "none": ("no image", {"image": None, "image_present": None, "sound": SOUND, "cloud": None}),
    "a flag alone": ("no image", {"image_present": ABSENT, "sound": SOUND}),
    "an image without flag": ("image", {"image": IMAGE, "sound": SOUND}),
    "flat flags": ("some", {"image": IMAGE, "image_present": np.array([1, 0]), "sound": SOUND}),
    "a cloud alone": ("cloud", {"cloud": CLOUD, **CLOUD_PARTS, "sound": SOUND}),
}


@pytest.mark.parametrize("case", SHORT)
def test_short_forms_equal_the_full_one(model, case):
    full, short = IN_FULL[SHORT[case][0]], SHORT[case][1]
    expected = to_numpy(model(full))
    np.testing.assert_allclose(to_numpy(model(short)), expected, atol=1e-6)
    np.testing.assert_allclose(model.predict(short, verbose=0), expected, atol=1e-6)
    latents = model.encode(short)
    np.testing.assert_allclose(latents, model.encode(full), atol=1e-6)
    given = {name: array.copy() for name, array in short.items() if array is not None}
    assert model.evaluate(short, np.array([0, 2]), verbose=0)
    assert {name: a.tolist() for name, a in given.items()} == {
        name: a.tolist() for name, a in short.items() if a is not None
    }


@pytest.mark.slow
@pytest.mark.tensorflow
def test_pipelines_may_leave_them_out(model):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices({"sound": SOUND}).batch(2)
    expected = to_numpy(model(IN_FULL["no image"]))
    weights = model.get_weights()
    labelled = tf.data.Dataset.from_tensor_slices(({"sound": SOUND}, [0, 2])).batch(2)
    assert np.isfinite(model.fit(labelled, verbose=0).history["loss"]).all()
    model.set_weights(weights)
    model.run_eagerly, model.predict_function = False, None  # what is filled in while tracing
    found = model.predict(dataset, verbose=0)
    model.run_eagerly, model.predict_function = True, None
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_flag_without_its_modality(model):
    with pytest.raises(ValueError, match=r"`inputs\['image'\]` must be given"):
        model({"image_present": THERE, "sound": SOUND})


def test_nothing_at_all(model):
    with pytest.raises(ValueError, match=r"entries .*without \['sound'\]|at least one"):
        model({})
