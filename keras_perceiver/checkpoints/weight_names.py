"""What our weights are called in Hugging Face's and in DeepMind's files.

A weight's place in the model, its Keras path such as "encoder_cross_attention/attention/query",
begins with the name of a part. For each part, the tables below give the beginning of the name in a
file; the rest of the name follows from the layers inside. `docs/weights.md` shows the tables.
"""

import re
from typing import NamedTuple

from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.flow import Flow
from keras_perceiver.outputs.tokens import Tokens

# Inside an attention block: our name -> (Hugging Face's, DeepMind's in a cross-attention,
# DeepMind's in a self-attention).
_IN_BLOCK = {
    "query_norm": ("attention.self.layernorm1", "layer_norm", None),
    "value_norm": ("attention.self.layernorm2", "layer_norm_1", None),
    "attention_norm": ("attention.self.layernorm1", None, "layer_norm"),
    "attention/query": ("attention.self.query", "attention/linear", "attention/linear"),
    "attention/key": ("attention.self.key", "attention/linear_1", "attention/linear_1"),
    "attention/value": ("attention.self.value", "attention/linear_2", "attention/linear_2"),
    "attention/output": ("attention.output.dense", "attention/linear_3", "attention/linear_3"),
    "feed_forward_norm": ("layernorm", "layer_norm_2", "layer_norm_1"),
    "feed_forward/hidden": ("mlp.dense1", "mlp/linear", "mlp/linear"),
    "feed_forward/output": ("mlp.dense2", "mlp/linear_1", "mlp/linear_1"),
}

# The last part of a name: ours -> (Hugging Face's, DeepMind's in dense layers and convolutions,
# DeepMind's in normalisations).
_LAST = {
    "kernel": (".weight", "//w", None),
    "bias": (".bias", "//b", None),
    "gamma": (".weight", None, "//scale"),
    "beta": (".bias", None, "//offset"),
    "moving_mean": (".running_mean", None, "/~/mean_ema//average"),
    "moving_variance": (".running_var", None, "/~/var_ema//average"),
}

_HF, _HF_IN = "perceiver.", "perceiver.input_preprocessor."
_QUERY = "/~/trainable_position_encoding//pos_embs"

# Our part -> (Hugging Face's, DeepMind's). Names of a table or vector are complete.
_EVERYWHERE = {
    "latents/table": ("perceiver.embeddings.latents", "perceiver_encoder" + _QUERY),
    "encoder_cross_attention": (
        "perceiver.encoder.cross_attention",
        "perceiver_encoder/~/cross_attention",
    ),
}
_TEXT = {
    "text_inputs/token_table": (_HF_IN + "embeddings.weight", "embed//embeddings"),
    "text_inputs/positions/table": (
        _HF_IN + "position_embeddings.weight",
        "trainable_position_encoding//pos_embs",
    ),
}
_LANGUAGE = {
    "tokens_queries/table": (
        _HF + "decoder.output_position_encodings.position_embeddings",
        "basic_decoder" + _QUERY,
    ),
    "output_query_decoder/cross_attention": (
        _HF + "decoder.decoding_cross_attention",
        "basic_decoder/cross_attention",
    ),
    "tokens_head/bias": ("embedding_decoder.bias", "embedding_decoder//bias"),
}
_CLASSIFIER = {
    "classes_query/table": (
        _HF + "decoder.decoder.output_position_encodings.position_embeddings",
        "classification_decoder/~/basic_decoder" + _QUERY,
    ),
    "output_query_decoder/cross_attention": (
        _HF + "decoder.decoder.decoding_cross_attention",
        "classification_decoder/~/basic_decoder/cross_attention",
    ),
    "classes_head/output": (
        _HF + "decoder.decoder.final_layer",
        "classification_decoder/~/basic_decoder/output",
    ),
}
_BUILT_IN = "image_preprocessor/~_build_network_inputs/"
_IMAGE = {
    "image_inputs/stem/projection": (_HF_IN + "convnet_1x1", "image_preprocessor/~/conv2_d"),
    "image_inputs/positions/table": (
        _HF_IN + "position_embeddings.position_embeddings",
        _BUILT_IN + "trainable_position_encoding//pos_embs",
    ),
    "image_inputs/positions_projection": (
        _HF_IN + "positions_projection",
        _BUILT_IN + "position_encoding_projector/linear",
    ),
    "image_inputs/stem/conv_0": (
        _HF_IN + "convnet.conv",
        "image_preprocessor/~/conv2_d_downsample/~/conv",
    ),
    "image_inputs/stem/norm_0": (
        _HF_IN + "convnet.batchnorm",
        "image_preprocessor/~/conv2_d_downsample/~/batchnorm",
    ),
}
_FLOW = {
    "frames_inputs/projection": (
        _HF_IN + "conv_after_patches",
        "image_preprocessor/patches_linear",
    ),
    "output_query_decoder/cross_attention": (
        _HF + "decoder.decoder.decoding_cross_attention",
        "flow_decoder/~/basic_decoder/cross_attention",
    ),
    "flow_head/output": (
        _HF + "decoder.decoder.final_layer",
        "flow_decoder/~/basic_decoder/output",
    ),
}
_MULTIMODAL = {
    "latents/table": ("perceiver.embeddings.latents", "encoder" + _QUERY),
    "encoder_cross_attention": ("perceiver.encoder.cross_attention", "encoder/~/cross_attention"),
    "label_query/table": (
        _HF + "decoder.modalities.label.decoder.output_position_encodings.position_embeddings",
        "classification_decoder/~/basic_decoder" + _QUERY,
    ),
    "output_query_decoder/cross_attention": (
        _HF + "decoder.decoder.decoding_cross_attention",
        "multimodal_decoder/~/basic_decoder/cross_attention",
    ),
    "output_query_decoder/output": (
        _HF + "decoder.decoder.final_layer",
        "multimodal_decoder/~/basic_decoder/output",
    ),
    "audio_head/output": (
        "perceiver.output_postprocessor.modalities.audio.classifier",
        "audio_postprocessor/linear",
    ),
    "video_head/output": (
        "perceiver.output_postprocessor.modalities.image.classifier",
        "projection_postprocessor/linear",
    ),
    "label_head/output": (
        "perceiver.output_postprocessor.modalities.label.classifier",
        "classification_postprocessor/linear",
    ),
}
for _ours, _theirs in {"audio": "audio", "video": "image", "label": "label"}.items():
    _MULTIMODAL |= {
        f"inputs/{_ours}_padding": (
            f"{_HF_IN}padding.{_theirs}",
            f"multimodal_preprocessor/{_theirs}_padding//pos_embs",
        ),
        f"inputs/{_ours}_mask_token": (
            f"{_HF_IN}mask.{_theirs}",
            f"multimodal_preprocessor/{_theirs}_mask_token//pos_embs",
        ),
        f"queries/{_ours}_padding": (
            f"{_HF}decoder.padding.{_theirs}",
            f"multimodal_decoder/~decoder_query/{_theirs}_padding//pos_embs",
        ),
    }

FAMILIES = {
    "language": {**_EVERYWHERE, **_TEXT, **_LANGUAGE},
    "text classifier": {**_EVERYWHERE, **_TEXT, **_CLASSIFIER},
    "image classifier": {**_EVERYWHERE, **_IMAGE, **_CLASSIFIER},
    "optical flow": {**_EVERYWHERE, **_FLOW},
    "multimodal autoencoder": _MULTIMODAL,
}


class WeightName(NamedTuple):
    """A weight's name in a file, and what it is: "kernel", "table", ..."""

    name: str
    role: str


def family_of(model):
    """The family of published models a `Perceiver` belongs to; raises ValueError for none."""
    outputs = model.output_descriptions
    inputs = model.input_descriptions
    if set(outputs) == {"audio", "label", "video"}:
        return "multimodal autoencoder"
    (output,) = outputs.values() if len(outputs) == 1 else (None,)
    if isinstance(output, Tokens) and set(inputs) == {"text"}:
        return "language"
    if isinstance(output, Flow) and set(inputs) == {"frames"}:
        return "optical flow"
    if isinstance(output, Classes) and set(inputs) in ({"image"}, {"text"}):
        return f"{next(iter(inputs))} classifier"
    raise ValueError(
        "`model` must be one of the published models: a masked language model, a classifier of an "
        "`Image` or `Text`, optical flow, or an autoencoder of video, audio and label. Received: "
        f"inputs {inputs} and outputs {outputs}"
    )


def names_of(model, source):
    """{path of a weight: `WeightName`} for all weights of a model of a published family.

    Args:
        model: A `Perceiver`.
        source: "huggingface" or "deepmind".

    Raises:
        ValueError: if the model has weights that the published models do not have; names them.
    """
    parts = FAMILIES[family_of(model)]
    found = {weight.path: _name(weight.path, parts, source) for weight in model.weights}
    unknown = [path for path, name in found.items() if name is None]
    if unknown:
        raise ValueError(
            f"`model` must have the layers of a published {family_of(model)}. Received: a model "
            f"with the weights {unknown}, which none of them has"
        )
    return found


def _name(path, parts, source):
    column = ("huggingface", "deepmind").index(source)
    ours, _, last = path.rpartition("/")
    if path in parts:
        return WeightName(parts[path][column], last)
    if ours in parts and last in _LAST:
        return WeightName(parts[ours][column] + _ending(last, source), last)
    matched = re.fullmatch(r"latent_transformer/self_attention_(\d+)/(.+)", ours)
    if matched:
        begin, inside = _layer(int(matched[1]), parts, source), matched[2]
    else:
        block = next((part for part in parts if ours.startswith(part + "/")), None)
        if block is None:
            return None
        begin, inside = parts[block][column], ours[len(block) + 1 :]
    if inside not in _IN_BLOCK or last not in _LAST:
        return None
    huggingface, cross, itself = _IN_BLOCK[inside]
    if source == "huggingface":
        return WeightName(f"{begin}.{huggingface}{_ending(last, source)}", last)
    return WeightName(f"{begin}/{itself if matched else cross}{_ending(last, source)}", last)


def _layer(index, parts, source):
    """The name of the latent Transformer's layer with that index."""
    if source == "huggingface":
        return f"perceiver.encoder.self_attends.{index}"
    encoder = parts["encoder_cross_attention"][1].removesuffix("cross_attention")
    return f"{encoder}self_attention" + (f"_{index}" if index else "")


def _ending(last, source):
    huggingface, dense, norm = _LAST[last]
    return huggingface if source == "huggingface" else dense or norm
