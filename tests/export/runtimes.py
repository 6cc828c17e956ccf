"""Runs an exported file in its own runtime, in float32."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}


def in_onnx(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = [tensor.name for tensor in session.get_inputs()]
    outputs = [tensor.name for tensor in session.get_outputs()]

    def run(request):
        answers = session.run(None, {name: np.asarray(request[name]) for name in inputs})
        return dict(zip(outputs, answers))

    return run


def in_openvino(path, precision="f32"):
    openvino = pytest.importorskip("openvino")
    hints = {"INFERENCE_PRECISION_HINT": precision}
    compiled = openvino.Core().compile_model(str(path), "CPU", hints)

    def run(request):
        found = compiled(request)
        return {tensor.get_any_name(): found[tensor] for tensor in compiled.outputs}

    return run


def in_litert(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own is to move to ai_edge_litert
        runner = tf.lite.Interpreter(str(path)).get_signature_runner()
    return lambda request: runner(**request)


RUNTIMES = {"onnx": in_onnx, "litert": in_litert, "openvino": in_openvino}
