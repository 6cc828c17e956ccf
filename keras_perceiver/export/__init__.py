"""Export to other runtimes: SavedModel for TensorFlow Serving, ONNX, LiteRT, OpenVINO."""

from keras_perceiver.export.litert import litert
from keras_perceiver.export.onnx import onnx
from keras_perceiver.export.openvino import openvino
from keras_perceiver.export.saved_model import saved_model

__all__ = ["litert", "onnx", "openvino", "saved_model"]
