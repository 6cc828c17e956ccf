"""The sizes of the models in the papers and of the published models, as dicts."""

from keras_perceiver.presets.imagenet import (
    IMAGE_CONV,
    IMAGE_FOURIER,
    IMAGE_LEARNED,
    PERCEIVER_IMAGENET,
    PERCEIVER_IO_IMAGENET,
    PERCEIVER_IO_IMAGENET_LEARNED,
)
from keras_perceiver.presets.language import (
    LANGUAGE,
    LANGUAGE_PLUS_PLUS,
    LANGUAGE_SENTENCEPIECE,
)
from keras_perceiver.presets.multimodal import (
    KINETICS_AUDIO,
    KINETICS_LOSS_WEIGHTS,
    KINETICS_NUM_DECODED,
    KINETICS_VIDEO,
    MULTIMODAL,
)
from keras_perceiver.presets.optical_flow import OPTICAL_FLOW

__all__ = [
    "IMAGE_CONV",
    "IMAGE_FOURIER",
    "IMAGE_LEARNED",
    "KINETICS_AUDIO",
    "KINETICS_LOSS_WEIGHTS",
    "KINETICS_NUM_DECODED",
    "KINETICS_VIDEO",
    "LANGUAGE",
    "LANGUAGE_PLUS_PLUS",
    "LANGUAGE_SENTENCEPIECE",
    "MULTIMODAL",
    "OPTICAL_FLOW",
    "PERCEIVER_IMAGENET",
    "PERCEIVER_IO_IMAGENET",
    "PERCEIVER_IO_IMAGENET_LEARNED",
]
