import keras
import numpy as np
import pytest

from keras_perceiver.layers import CommonWidth
from tests.random_values import normal, to_numpy

ARRAYS = {"image": normal(2, 5, 7), "audio": normal(2, 3, 11, seed=1)}
WIDTH = 11 + 2


def test_arrays_are_padded_and_joined_by_sorted_name():
    layer = CommonWidth()
    found = to_numpy(layer(ARRAYS))
    assert found.shape == (2, 3 + 5, WIDTH)
    np.testing.assert_array_equal(found[:, :3, :11], ARRAYS["audio"])
    np.testing.assert_array_equal(found[:, 3:, :7], ARRAYS["image"])
    audio, image = (to_numpy(layer.paddings[name]) for name in ("audio", "image"))
    assert (audio.shape, image.shape) == ((1, 2), (1, 6))
    np.testing.assert_array_equal(found[:, :3, 11:], np.broadcast_to(audio, (2, 3, 2)))
    np.testing.assert_array_equal(found[:, 3:, 7:], np.broadcast_to(image, (2, 5, 6)))
    assert [weight.name for weight in layer.weights] == ["audio_padding", "image_padding"]


def test_the_widest_needs_no_padding():
    layer = CommonWidth(min_padding=0)
    assert layer(ARRAYS).shape == (2, 8, 11)
    assert [weight.name for weight in layer.weights] == ["image_padding"]


def test_a_part_of_the_arrays_has_the_same_width():
    layer = CommonWidth()
    together = to_numpy(layer(ARRAYS))
    np.testing.assert_array_equal(to_numpy(layer({"image": ARRAYS["image"]})), together[:, 3:])


def test_a_probability_of_one_hides_all_but_the_mask_token():
    layer = CommonWidth(mask_probs={"audio": 1.0})
    found, plain = to_numpy(layer(ARRAYS)), to_numpy(layer({"image": ARRAYS["image"]}))
    token = to_numpy(layer.mask_tokens["audio"])
    np.testing.assert_array_equal(found[:, :3], np.broadcast_to(token, (2, 3, WIDTH)))
    np.testing.assert_array_equal(found[:, 3:], plain)
    assert set(layer.mask_tokens) == {"audio", "image"}  # as in the published checkpoint


@pytest.mark.parametrize("training", [True, False])
def test_vectors_are_hidden_as_often_as_asked(training):
    layer = CommonWidth(min_padding=2, mask_probs={"a": 0.3}, seed=3)
    array = np.ones((11, 97, 3), "float32")
    found = to_numpy(layer({"a": array}, training=training))
    hidden = (found == to_numpy(layer.mask_tokens["a"])).all(-1)
    kept = (found[..., :3] == 1).all(-1)
    np.testing.assert_array_equal(hidden, ~kept)
    assert hidden.mean() == pytest.approx(0.3, abs=0.06)
    again = to_numpy(layer({"a": array}, training=training))
    assert (again != found).any()


def test_masks_are_joined_like_the_arrays():
    audio_in, image_in = keras.Input((3, 11)), keras.Input((5, 7))
    arrays = {"audio": keras.layers.Masking()(audio_in), "image": image_in}
    outputs = CommonWidth()(arrays)
    model = keras.Model([audio_in, image_in], outputs._keras_mask)
    audio = ARRAYS["audio"].copy()
    audio[0, 1] = 0
    found = to_numpy(model([audio, ARRAYS["image"]]))
    expected = np.ones((2, 8), bool)
    expected[0, 1] = False
    np.testing.assert_array_equal(found, expected)


def test_no_masks_stay_no_masks():
    outputs = CommonWidth()({"audio": keras.Input((3, 11)), "image": keras.Input((5, 7))})
    assert getattr(outputs, "_keras_mask", None) is None
