"""From a Hugging Face config.json to a preset and the arguments in which the model differs."""

import json
from pathlib import Path
from typing import NamedTuple

from keras_perceiver.inputs.text import Text
from keras_perceiver.models.classifier import build_classifier
from keras_perceiver.presets import get
from keras_perceiver.presets.preset import Preset, with_arguments

_ACTIVATIONS = {
    "gelu": "gelu_erf",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
}

# The defaults of `transformers.PerceiverConfig`, which config.json leaves out in new versions.
_DEFAULTS = {
    "num_latents": 256,
    "d_latents": 1280,
    "d_model": 768,
    "num_blocks": 1,
    "num_self_attends_per_block": 26,
    "num_self_attention_heads": 8,
    "num_cross_attention_heads": 8,
    "qk_channels": None,
    "v_channels": None,
    "cross_attention_shape_for_attention": "kv",
    "self_attention_widening_factor": 1,
    "cross_attention_widening_factor": 1,
    "hidden_act": "gelu",
    "use_query_residual": True,
    "vocab_size": 262,
    "max_position_embeddings": 2048,
    "image_size": 56,
    "train_size": (368, 496),
    "num_frames": 16,
    "audio_samples_per_frame": 1920,
    "samples_per_patch": 16,
    "output_shape": (1, 16, 224, 224),
    "output_num_channels": 512,
    "_label_trainable_num_channels": 1024,
}

_TEXT_CLASSIFIER = Preset(
    "perceiver_io_text_classifier",
    build_classifier,
    {
        **{
            key: value
            for key, value in get("perceiver_io_language_bytes").arguments.items()
            if key not in ("max_length", "dim") and "decoder" not in key
        },
        "inputs": Text(2048, dim=768),
        "num_classes": 2,
    },
    parameters=206_098_690,
    gflops=112.02,
    source="PerceiverForSequenceClassification of Hugging Face's; no weights were published.",
)


class Described(NamedTuple):
    """A model of Hugging Face's.

    Args:
        preset: The `Preset` of its kind.
        changes: Arguments in which it differs from the preset, numerics included.
        labels: Names of the classes in order, or None.
    """

    preset: Preset
    changes: dict
    labels: list | None


def describe(folder, numerics):
    """Reads config.json.

    Args:
        folder: With a config.json.
        numerics: "huggingface" or "deepmind".

    Raises:
        ValueError: if it is not a Perceiver's config.json, or asks for what no published model has.
    """
    path = Path(folder) / "config.json"
    try:
        given = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is missing or damaged: {error}") from error
    if not isinstance(given, dict) or given.get("model_type") != "perceiver":
        kind = given.get("model_type") if isinstance(given, dict) else None
        raise ValueError(
            f"{str(path)!r} must describe a Perceiver of Hugging Face's, with model_type "
            f"'perceiver'. Received: model_type={kind!r}"
        )
    config = {**_DEFAULTS, **given}
    (architecture,) = config.get("architectures") or (None,)
    if architecture not in _OF_ARCHITECTURE:
        raise ValueError(
            f"{str(path)!r} must have one of the architectures {sorted(_OF_ARCHITECTURE)}. "
            f"Received: {architecture!r}"
        )
    for key in ("cross_attention_shape_for_attention", "use_query_residual"):
        if config[key] != _DEFAULTS[key]:
            raise ValueError(
                f"{str(path)!r} has {key}={config[key]!r}; only {_DEFAULTS[key]!r}, as in all "
                "published models, can be read"
            )
    preset, changes, as_huggingface = _OF_ARCHITECTURE[architecture](config)
    changes = {**_encoder(config), **changes}
    if numerics == "huggingface":
        activation = config["hidden_act"]
        changes["activation"] = _ACTIVATIONS.get(activation, activation)
        changes |= {"masked_rows": "uniform", **as_huggingface}
    labels = _labels(config) if "num_classes" in preset.arguments else None
    if labels is not None:
        changes["num_classes"] = len(labels)
    return Described(preset, changes, labels)


def _encoder(config):
    return {
        "num_latents": config["num_latents"],
        "latent_dim": config["d_latents"],
        "num_blocks": config["num_blocks"],
        "num_self_attends_per_block": config["num_self_attends_per_block"],
        "num_cross_attention_heads": config["num_cross_attention_heads"],
        "num_self_attention_heads": config["num_self_attention_heads"],
        "cross_attention_widening_factor": config["cross_attention_widening_factor"],
        "self_attention_widening_factor": config["self_attention_widening_factor"],
        "qk_channels": config["qk_channels"],
        "v_channels": config["v_channels"],
    }


def _labels(config):
    """Names of the classes in order; two unnamed ones are transformers' default."""
    labels = config.get("id2label")
    if labels:
        return [labels[key] for key in sorted(labels, key=int)]
    return [f"LABEL_{index}" for index in range(config.get("num_labels", 2))]


def _language(config):
    changes = {
        "max_length": config["max_position_embeddings"],
        "vocab_size": config["vocab_size"],
        "dim": config["d_model"],
        "decoder_v_channels": config["d_model"],
    }
    return get("perceiver_io_language_bytes"), changes, {"mask_queries": False}


def _text_classifier(config):
    changes = {
        "max_length": config["max_position_embeddings"],
        "vocab_size": config["vocab_size"],
        "dim": config["d_model"],
    }
    return _TEXT_CLASSIFIER, changes, {}


def _image(name, **as_huggingface):
    def changes(config):
        side = config["image_size"]
        return get(name), {"height": side, "width": side}, as_huggingface

    return changes


def _flow(config):
    height, width = config["train_size"]
    changes = {"height": height, "width": width, "max_resolution": (height, width)}
    changes |= {"decoder_qk_channels": config["d_latents"]}
    changes |= {"decoder_v_channels": config["d_latents"]}
    return get("perceiver_io_optical_flow"), changes, {}


def _multimodal(config):
    frames, side = config["num_frames"], config["image_size"]
    samples = frames * config["audio_samples_per_frame"]
    inputs = dict(get("perceiver_io_multimodal_autoencoder").arguments["inputs"])
    height, width = config["output_shape"][-2:]
    of_video = {"frames": frames, "height": height, "width": width}
    of_video["max_resolution"] = (frames, side, side)  # `image_size` is that of the patches
    of_audio = {"num_samples": samples, "max_resolution": samples}
    of_audio["samples_per_patch"] = config["samples_per_patch"]
    labels = {"num_classes": len(_labels(config))}
    for name, changed in (("video", of_video), ("audio", of_audio), ("label", labels)):
        inputs[name] = with_arguments(inputs[name], **changed)
    changes = {
        "inputs": inputs,
        "label_query_dim": config["_label_trainable_num_channels"],
        "decoder_qk_channels": config["d_latents"],
        "decoder_v_channels": config["d_latents"],
        "decoder_output_dim": config["output_num_channels"],
    }
    return get("perceiver_io_multimodal_autoencoder"), changes, {}


_OF_ARCHITECTURE = {
    "PerceiverForMaskedLM": _language,
    "PerceiverForSequenceClassification": _text_classifier,
    "PerceiverForImageClassificationLearned": _image(
        "perceiver_io_imagenet_learned", use_query_residual=True
    ),
    "PerceiverForImageClassificationFourier": _image("perceiver_io_imagenet_fourier"),
    "PerceiverForImageClassificationConvProcessing": _image(
        "perceiver_io_imagenet_conv", symmetric_padding=True
    ),
    "PerceiverForOpticalFlow": _flow,
    "PerceiverForMultimodalAutoencoding": _multimodal,
}
