"""A preset brings its own preparation: a raw file, three lines, a readable answer."""

import json

import numpy as np
import pytest

import keras_perceiver as kp
from tests.checkpoints.small_models import SmallModel

pytest.importorskip("safetensors")
pytestmark = pytest.mark.tensorflow


def saved(family, folder, **config):
    small = SmallModel(family)
    small.config = json.dumps({**json.loads(small.config), **config})
    return small.save(folder / family)


def picture(path, size=(31, 23)):
    from matplotlib import image

    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype("uint8")
    image.imsave(path, pixels)
    return path


SLOW = [pytest.param(family, marks=pytest.mark.slow) for family in ("learned", "conv")]


@pytest.mark.parametrize("family", ["fourier", *SLOW])
def test_a_picture(family, tmp_path):
    labels = [f"class {index}" for index in range(7)]
    folder = saved(family, tmp_path, id2label={str(i): name for i, name in enumerate(labels)})
    model = kp.from_preset(folder)
    images = model.preparation.from_file(picture(tmp_path / "a.png"))
    logits = model.predict(images, verbose=0)
    (answers,) = model.preparation.readable(logits, top=7)
    assert sorted(name for name, _ in answers) == labels
    assert sum(share for _, share in answers) == pytest.approx(1, abs=1e-5)
    assert model.preparation.convention == "huggingface"
    assert kp.from_preset(folder, numerics="deepmind").preparation.convention == "deepmind"
    other = kp.from_preset(folder, num_classes=2, compile=False)
    assert other.preparation.class_names is None  # the names are of other classes


def test_a_sentence(tmp_path):
    model = kp.from_preset(saved("language", tmp_path))
    prepare = model.preparation
    assert prepare.special_tokens and prepare.max_length == 11
    inputs = prepare([prepare.hide("a cat", "cat"), "x"])
    assert np.asarray(inputs["text"])[0, :7].tolist() == [4, 103, 38, 3, 3, 3, 5]
    texts = prepare.readable(model.predict(inputs, verbose=0), inputs)
    assert texts[0].startswith("a ") and texts[1] == "x"
    deepmind = kp.from_preset(tmp_path / "language", numerics="deepmind").preparation
    assert not deepmind.special_tokens


@pytest.mark.slow
def test_two_frames_and_a_clip(tmp_path):
    model = kp.from_preset(saved("flow", tmp_path))
    frames = np.random.default_rng(0).integers(0, 256, (2, 7, 9, 3)).astype("uint8")
    flows = model.predict(model.preparation(*frames), verbose=0)
    (answer,) = model.preparation.readable(flows, size=(7, 9))
    assert answer["flow"].shape == (7, 9, 2) and answer["picture"].shape == (7, 9, 3)
    np.testing.assert_allclose(
        answer["flow"], kp.predict_flow(model, *frames, min_overlap=4), atol=1e-4
    )

    model = kp.from_preset(saved("multimodal", tmp_path))
    video = np.random.default_rng(0).integers(0, 256, (5, 9, 13, 3)).astype("uint8")
    outputs = model.predict(model.preparation(video), verbose=0)
    (answer,) = model.preparation.readable(outputs, num_frames=5)
    assert answer["video"].shape == (5, 8, 8, 3) and answer["audio"].dtype == "int16"
    assert len(answer["label"]) == 5


def test_it_goes_with_the_saved_model(tmp_path):
    model = kp.from_preset(saved("fourier", tmp_path), compile=False)
    model.save_to_preset(tmp_path / "own")
    assert (tmp_path / "own" / "preprocessor.json").is_file()
    again = kp.from_preset(tmp_path / "own")
    assert again.preparation.get_config() == model.preparation.get_config()
    other = kp.from_preset(tmp_path / "own", height=9, num_classes=2).preparation
    assert (other.height, other.width, other.class_names) == (9, 13, None)
    image = np.random.default_rng(0).integers(0, 256, (31, 23, 3)).astype("uint8")
    np.testing.assert_array_equal(again.preparation(image), model.preparation(image))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["fourier", "language"])
def test_it_is_served(family, tmp_path):
    """Bytes are decoded by the model's own preparation, not by the defaults of kp.data."""
    import tensorflow as tf

    labels = {str(i): f"class {i}" for i in range(7)}
    model = kp.from_preset(saved(family, tmp_path, id2label=labels))
    folder = kp.export.saved_model(model, tmp_path / "served")
    loaded = tf.saved_model.load(str(folder))
    if family == "fourier":
        content = picture(tmp_path / "a.png").read_bytes()
        request, inputs = {"image": [content]}, model.preparation([content])
        names = (folder / "assets" / "class_names.txt").read_text().split("\n")
        assert names[:7] == list(labels.values())
    else:
        request = {"text": ["a [MASK]b", "x"]}
        inputs = model.preparation(request["text"])
        inputs = inputs["text"]
    (found,) = loaded.signatures["serve_bytes"](
        **{key: tf.constant(value) for key, value in request.items()}
    ).values()
    np.testing.assert_allclose(found, model(inputs), rtol=1e-4, atol=1e-5)


def test_other_models_come_without():
    small = {"latent_dim": 16, "num_self_attends_per_block": 1, "compile": False}
    assert kp.from_preset("perceiver_io_starcraft_entities", **small).preparation is None
    small |= {"dim": 8, "qk_channels": 8, "v_channels": 8}
    model = kp.from_preset("perceiver_io_language_sentencepiece", **small)
    assert model.preparation is None
