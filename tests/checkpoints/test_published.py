"""The real checkpoints: loaded, counted, and some of their answers. Needs a network.

NETWORK=1 .venv/bin/python -m pytest -m network tests/checkpoints/test_published.py
"""

import os
import urllib.request

import numpy as np
import pytest

import keras_perceiver as kp

pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("NETWORK"), reason="NETWORK=1 is not set"),
]
PUBLISHED = [name for name in kp.presets.list() if kp.presets.get(name).huggingface]
CATS = "http://images.cocodataset.org/val2017/000000039769.jpg"
LOGITS = {  # the first three of a picture of two cats, in transformers' numerics
    "perceiver_io_imagenet_learned": [-1.1652, -0.1992, -0.7520],
    "perceiver_io_imagenet_fourier": [-1.1295, -0.2832, 0.3226],
    "perceiver_io_imagenet_conv": [-1.1186, 0.0554, 0.0897],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_loads(name):
    preset = kp.presets.get(name)
    model = kp.from_preset(f"hf://{preset.huggingface}", compile=False)
    statistics = 128 if name.endswith("conv") else 0
    assert model.count_params() == preset.parameters + statistics


def test_language():
    model = kp.from_preset("hf://deepmind/language-perceiver", compile=False)
    text = "This is an incomplete sentence where some words are missing."
    ids = np.zeros((1, 2048), "int32")
    encoded = [4, *(byte + 6 for byte in text.encode()), 5]  # [CLS] text [SEP]
    ids[0, : len(encoded)] = encoded
    ids[0, 52:61] = 3  # [MASK]
    logits = np.asarray(model(ids))[0]
    expected = [
        [-10.8609, -10.7651, -10.9187],
        [-12.1689, -11.9389, -12.1479],
        [-12.1518, -11.9707, -12.2073],
    ]
    np.testing.assert_allclose(logits[:3, :3], expected, atol=1e-3)
    assert bytes(int(i) - 6 for i in logits[52:61].argmax(-1)) == b" missing."


@pytest.mark.parametrize("name", LOGITS)
def test_images(name, tmp_path):
    pictures = pytest.importorskip("PIL.Image")
    urllib.request.urlretrieve(CATS, tmp_path / "cats.jpg")
    picture = pictures.open(tmp_path / "cats.jpg").convert("RGB")
    width, height = picture.size
    side = int(224 / 256 * min(width, height))
    left, top = (width - side) // 2, (height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))
    picture = picture.resize((224, 224), pictures.Resampling.BICUBIC)
    pixels = np.asarray(picture, "float32") / 255
    pixels = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    model = kp.from_preset(f"hf://{kp.presets.get(name).huggingface}", compile=False)
    logits = np.asarray(model(pixels[None].astype("float32")))[0]
    np.testing.assert_allclose(logits[:3], LOGITS[name], atol=5e-3)
