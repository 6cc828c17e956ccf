"""Keras models built from layers, inputs and outputs."""

from keras_perceiver.models.autoencoder import build_autoencoder
from keras_perceiver.models.classifier import build_classifier
from keras_perceiver.models.entity_encoder import build_entity_encoder
from keras_perceiver.models.lowered_schedule import LoweredSchedule
from keras_perceiver.models.masked_language_model import build_masked_language_model
from keras_perceiver.models.multitask_classifier import build_multitask_classifier
from keras_perceiver.models.optical_flow import build_optical_flow, predict_flow
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.models.segmenter import build_segmenter
from keras_perceiver.models.sizes import Sizes

__all__ = [
    "LoweredSchedule",  # so that files with it can be loaded
    "Perceiver",
    "Sizes",
    "build_autoencoder",
    "build_classifier",
    "build_entity_encoder",
    "build_masked_language_model",
    "build_multitask_classifier",
    "build_optical_flow",
    "build_perceiver_io",
    "build_segmenter",
    "predict_flow",
]
