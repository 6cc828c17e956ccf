"""Every builder through every export that claims it."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.export.small import SIZES

pytestmark = pytest.mark.slow

BUILDERS = {
    "classifier": lambda **o: kp.build_classifier((4, 6, 3), 5, **o),
    "classifier of pictures": lambda **o: kp.build_classifier((9, 11, 3), 5, **o),
    "series": lambda **o: kp.build_classifier((17, 3), 5, **o),
    "table": lambda **o: kp.build_classifier(kp.Table(7, (2, 3), dim=8), 5, **o),
    "segmenter": lambda **o: kp.build_segmenter((4, 6, 3), 2, **o),
    "language": lambda **o: kp.build_masked_language_model(7, dim=8, **o),
    "multitask": lambda **o: kp.build_multitask_classifier((5, 2), {"a": 2, "b": 3}, **o),
    "flow": lambda **o: kp.build_optical_flow(4, 6, stem_channels=5, **o),
    "flow upsampled": lambda **o: kp.build_optical_flow(9, 6, stem_channels=5, stem="conv", **o),
    "autoencoder": lambda **o: kp.build_autoencoder(
        {
            "video": kp.Video(2, 4, 8, patch_size=(2, 2, 4)),
            "audio": kp.Audio(28, 4),
            "label": kp.Labels(3),
        },
        **o,
    ),
    "entities": lambda **o: kp.build_entity_encoder(5, 4, 6, pooled_channels=3, **o),
    "several": lambda **o: kp.build_perceiver_io(
        {"image": kp.Image(8, 4, stem="conv", masked=True), "text": kp.Text(5, dim=6)},
        {"field": kp.AtPoints(2, channels=1, num_bands=3), "each": kp.PerInput("text", 2)},
        **o,
    ),
}
SAME_NAMES = ("autoencoder", "entities")  # of an input and an output
SEPARABLE = ("classifier", "series", "segmenter", "flow", "flow upsampled")


def make(name, **options):
    return BUILDERS[name](**{**SIZES, "num_self_attends_per_block": 1, **options})


@pytest.mark.parametrize("name", BUILDERS)
def test_saved_model(name, tmp_path):
    """Exporting holds the answers of the file against the model's."""
    assert tf.saved_model.load(kp.export.saved_model(make(name), tmp_path / "m")).signatures


@pytest.mark.parametrize("way", ["separable", "chunked"])
@pytest.mark.parametrize("name", SEPARABLE)
def test_saved_models_of_other_ways(name, way, tmp_path):
    assert kp.export.saved_model(make(name, attention=way), tmp_path / "m").is_dir()


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("export", ["onnx", "litert", "openvino"])
def test_single_files(name, export, tmp_path):
    suffix = {"onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}[export]
    if export != "litert" and name in SAME_NAMES:
        with pytest.raises(ValueError, match="must give its outputs other names than its inputs"):
            getattr(kp.export, export)(make(name, attention="plain"), tmp_path / f"m{suffix}")
        assert list(tmp_path.iterdir()) == []
        return
    path = getattr(kp.export, export)(make(name, attention="plain"), tmp_path / f"m{suffix}")
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("export, suffix", [("onnx", ".onnx"), ("openvino", ".xml")])
@pytest.mark.parametrize("way", ["separable", "chunked"])
def test_what_runtimes_cannot_do_is_said_at_once(export, suffix, way, tmp_path):
    model = make("classifier", attention=way)
    with pytest.raises(ValueError, match="Build it again with attention='plain'"):
        getattr(kp.export, export)(model, tmp_path / f"m{suffix}")
    assert list(tmp_path.iterdir()) == []
    plain = kp.Perceiver.from_config({**model.get_config(), "attention": "plain"})
    plain.set_weights(model.get_weights())
    images = np.random.default_rng(0).random((2, 4, 6, 3)).astype("float32")
    np.testing.assert_allclose(plain(images), model(images), atol=1e-5)
    getattr(kp.export, export)(plain, tmp_path / f"m{suffix}", allow_uncompiled=True)
