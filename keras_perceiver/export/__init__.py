"""Export to other runtimes: SavedModel for TensorFlow Serving, ONNX, LiteRT, OpenVINO, int8."""

from keras_perceiver.export.litert import litert
from keras_perceiver.export.onnx import onnx
from keras_perceiver.export.openvino import openvino
from keras_perceiver.export.openvino_int8 import openvino_int8
from keras_perceiver.export.saved_model import saved_model

__all__ = ["litert", "onnx", "openvino", "openvino_int8", "saved_model"]
