"""Layers, inputs and outputs wired into Keras models."""

from keras_perceiver.models.classifier import build_classifier
from keras_perceiver.models.perceiver import Perceiver

__all__ = ["Perceiver", "build_classifier"]
