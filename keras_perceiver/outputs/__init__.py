"""One task out: descriptions of what to query and how to read the answer."""

from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.output_head import OutputHead

__all__ = ["Classes", "OutputHead"]
