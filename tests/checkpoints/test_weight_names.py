"""The documented table of names is the one in use, and fits the full-size models."""

from pathlib import Path

import keras
import pytest
from keras import ops

import keras_perceiver as kp
from keras_perceiver.checkpoints.weight_names import _IN_BLOCK, FAMILIES, names_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "weights.md"


def test_the_document_has_every_name():
    text = DOCUMENT.read_text()
    for family, parts in FAMILIES.items():
        assert f"## {family.capitalize()}\n" in text
        for ours, (huggingface, haiku) in parts.items():
            assert f"| `{ours}` | `{huggingface}` | `{haiku}` |" in text
    for ours, (huggingface, *_) in _IN_BLOCK.items():
        assert f"| `{ours}` | `{huggingface}` | " in text


FULL_SIZE = {  # some names with their shapes, of both sources
    "perceiver_io_language_bytes": {
        "perceiver.input_preprocessor.embeddings.weight": (262, 768),
        "perceiver.embeddings.latents": (256, 1280),
        "perceiver.encoder.cross_attention.attention.self.key.weight": (768, 256),
        "perceiver.encoder.self_attends.25.mlp.dense2.bias": (1280,),
        "perceiver.decoder.decoding_cross_attention.attention.self.value.weight": (1280, 768),
        "embedding_decoder.bias": (262,),
        "basic_decoder/~/trainable_position_encoding//pos_embs": (2048, 768),
        "perceiver_encoder/~/self_attention_25/mlp/linear_1//w": (1280, 1280),
    },
    "perceiver_io_imagenet_learned": {
        "perceiver.input_preprocessor.position_embeddings.position_embeddings": (50176, 256),
        "perceiver.input_preprocessor.positions_projection.weight": (256, 256),
        "perceiver.encoder.cross_attention.attention.self.value.weight": (512, 512),
        "image_preprocessor/~/conv2_d//w": (3, 256),
        "classification_decoder/~/basic_decoder/output//w": (1024, 1000),
    },
    "perceiver_io_imagenet_fourier": {
        "perceiver.encoder.cross_attention.attention.self.key.weight": (261, 261),
        "perceiver.encoder.self_attends.5.attention.self.query.weight": (1024, 1024),
    },
    "perceiver_io_imagenet_conv": {
        "perceiver.input_preprocessor.convnet.conv.weight": (7, 7, 3, 64),
        "perceiver.encoder.cross_attention.attention.self.key.weight": (322, 322),
        "image_preprocessor/~/conv2_d_downsample/~/batchnorm/~/var_ema//average": (64,),
    },
    "perceiver_io_optical_flow": {
        "perceiver.input_preprocessor.conv_after_patches.weight": (54, 64),
        "perceiver.decoder.decoder.final_layer.weight": (322, 2),
        "flow_decoder/~/basic_decoder/cross_attention/attention/linear//w": (322, 512),
    },
    "perceiver_io_multimodal_autoencoder": {
        "perceiver.input_preprocessor.padding.image": (1, 461),
        "perceiver.input_preprocessor.mask.audio": (1, 704),
        "perceiver.decoder.padding.image": (1, 831),
        "perceiver.decoder.decoder.final_layer.weight": (1026, 512),
        "perceiver.output_postprocessor.modalities.label.classifier.weight": (512, 700),
        "multimodal_preprocessor/label_mask_token//pos_embs": (1, 704),
        "encoder/~/self_attention_7/attention/linear_3//b": (512,),
    },
}


LARGE = ("perceiver_io_language_bytes", "perceiver_io_imagenet_learned")


@pytest.mark.parametrize(
    "preset",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in FULL_SIZE],
)
def test_names_and_shapes_at_full_size(preset, monkeypatch):
    for initializer in (keras.initializers.VarianceScaling, keras.initializers.TruncatedNormal):
        monkeypatch.setattr(
            initializer, "__call__", lambda self, shape, dtype=None: ops.zeros(shape, dtype)
        )
    model = kp.presets.get(preset).build(compile=False)
    found = {}
    for source in ("huggingface", "deepmind"):
        names = names_of(model, source)
        assert len({name for name, _ in names.values()}) == len(model.weights)
        found |= {names[weight.path].name: tuple(weight.shape) for weight in model.weights}
    for name, shape in FULL_SIZE[preset].items():
        assert found[name] == shape, name


def test_other_models_have_no_names():
    with pytest.raises(ValueError, match="must be one of the published models"):
        names_of(kp.build_segmenter((4, 4, 3), 2, compile=False), "deepmind")
    model = kp.build_classifier(kp.Image(8, 8, 3), 2, num_cross_attends=2, compile=False)
    with pytest.raises(ValueError, match="which none of them has"):
        names_of(model, "deepmind")
