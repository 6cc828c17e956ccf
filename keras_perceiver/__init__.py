"""Perceiver and Perceiver IO for Keras: describe what goes in and what comes out, get a model.

    import keras_perceiver as kp
    model = kp.build_classifier((224, 224, 3), num_classes=10)

The core (layers, inputs, outputs, models, presets) needs only Keras. The other subpackages
(`kp.checkpoints`, `kp.data`, `kp.export`, `kp.finetuning`, `kp.inspection`, `kp.preparation`,
`kp.training`, `kp.tuning`, `kp.visualization`) are imported when they are first used.
"""

import importlib

from keras_perceiver import presets
from keras_perceiver.inputs import (
    Array,
    Audio,
    Entities,
    FramePair,
    Image,
    Labels,
    PerceiverInput,
    Points,
    Series,
    Table,
    Text,
    Video,
    ids_to_text,
    text_to_ids,
)
from keras_perceiver.layers import (
    Attention,
    CommonWidth,
    ConvexUpsampling,
    CrossAttention,
    FeedForward,
    FourierEncoding,
    LatentTransformer,
    LearnedArray,
    OutputQueryDecoder,
    SelfAttention,
    SeparableCrossAttention,
    SeparableQueryAttention,
)
from keras_perceiver.models import (
    Perceiver,
    Sizes,
    build_autoencoder,
    build_classifier,
    build_entity_encoder,
    build_masked_language_model,
    build_multitask_classifier,
    build_optical_flow,
    build_perceiver_io,
    build_segmenter,
    predict_flow,
)
from keras_perceiver.models.averaged_adamw import AveragedAdamW
from keras_perceiver.models.costs import Costs, costs
from keras_perceiver.models.lamb import Lamb
from keras_perceiver.models.transfer import transfer
from keras_perceiver.outputs import (
    AtPoints,
    Classes,
    EndPointError,
    Flow,
    Grid,
    MeanOverInputs,
    Output,
    OutputHead,
    PerInput,
    Reconstruction,
    Tokens,
    Values,
)
from keras_perceiver.version import __version__

_EDGES = (
    "checkpoints",
    "data",
    "export",
    "finetuning",
    "inspection",
    "preparation",
    "training",
    "tuning",
    "visualization",
)
_OF_EDGES = {name: "checkpoints" for name in ("from_preset", "load_deepmind_weights")}
_OF_EDGES["upload_preset"] = "checkpoints"
_OF_EDGES["describe"] = _OF_EDGES["check"] = "inspection"

__all__ = [
    "Array",
    "AtPoints",
    "Attention",
    "Audio",
    "AveragedAdamW",
    "Classes",
    "CommonWidth",
    "ConvexUpsampling",
    "Costs",
    "CrossAttention",
    "EndPointError",
    "Entities",
    "FeedForward",
    "Flow",
    "FourierEncoding",
    "FramePair",
    "Grid",
    "Image",
    "Labels",
    "Lamb",
    "LatentTransformer",
    "LearnedArray",
    "MeanOverInputs",
    "Output",
    "OutputHead",
    "OutputQueryDecoder",
    "PerInput",
    "Perceiver",
    "PerceiverInput",
    "Points",
    "Reconstruction",
    "SelfAttention",
    "SeparableCrossAttention",
    "SeparableQueryAttention",
    "Series",
    "Sizes",
    "Table",
    "Text",
    "Tokens",
    "Values",
    "Video",
    "__version__",
    "build_autoencoder",
    "build_classifier",
    "build_entity_encoder",
    "build_masked_language_model",
    "build_multitask_classifier",
    "build_optical_flow",
    "build_perceiver_io",
    "build_segmenter",
    "check",
    "costs",
    "describe",
    "from_preset",
    "ids_to_text",
    "load_deepmind_weights",
    "predict_flow",
    "presets",
    "text_to_ids",
    "transfer",
    "upload_preset",
    *_EDGES,
]


def __getattr__(name):
    if name in _EDGES:
        return importlib.import_module(f"keras_perceiver.{name}")
    if name in _OF_EDGES:
        return getattr(importlib.import_module(f"keras_perceiver.{_OF_EDGES[name]}"), name)
    raise AttributeError(f"module 'keras_perceiver' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
