"""From raw files to a model's inputs, and from its outputs to answers that people can read."""

from keras_perceiver.preparation.clip_preparation import ClipPreparation
from keras_perceiver.preparation.flow_picture import flow_picture
from keras_perceiver.preparation.flow_preparation import FlowPreparation
from keras_perceiver.preparation.image_preparation import ImagePreparation
from keras_perceiver.preparation.text_preparation import TextPreparation

__all__ = [
    "ClipPreparation",
    "FlowPreparation",
    "ImagePreparation",
    "TextPreparation",
    "flow_picture",
]
