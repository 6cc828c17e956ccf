"""Each other format answers as the model does, in its own runtime."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.export.small import SIZES

pytestmark = pytest.mark.slow

IMAGES = np.random.default_rng(0).random((5, 8, 8, 1)).astype("float32")


@pytest.fixture(scope="module", params=["gelu_tanh", "gelu"])
def model(request):
    """A classifier with each GELU. The exact one is written out: ONNX has no such operation."""
    keras.utils.set_random_seed(1)
    return kp.build_classifier(
        kp.Array((8, 8, 1)), num_classes=10, activation=request.param, **SIZES
    )


def assert_alike(found, model):
    wanted = keras.ops.convert_to_numpy(model(IMAGES))
    assert np.ptp(wanted) > 0.1
    np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_onnx(model, tmp_path):
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    path = kp.export.onnx(model, tmp_path / "model.onnx")
    assert path == tmp_path / "model.onnx" and list(tmp_path.iterdir()) == [path]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"array": IMAGES})
    assert_alike(found, model)


def test_openvino(model, tmp_path):
    openvino = pytest.importorskip("openvino")
    path = kp.export.openvino(model, tmp_path / "model.xml")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.bin", "model.xml"]
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(path), "CPU", exact)
    assert len(compiled.outputs) == 1
    assert_alike(compiled({"array": IMAGES})["classes"], model)


def interpreters():
    try:
        from ai_edge_litert.interpreter import Interpreter

        yield Interpreter
    except ModuleNotFoundError:
        pass
    if hasattr(tf.lite, "Interpreter"):
        yield tf.lite.Interpreter


def test_litert(model, tmp_path):
    path = kp.export.litert(model, tmp_path / "model.tflite")
    assert list(tmp_path.iterdir()) == [path]
    for make in interpreters():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TensorFlow's own is to move to ai_edge_litert
            interpreter = make(str(path))
        assert_alike(interpreter.get_signature_runner()(array=IMAGES)["output_0"], model)


def test_paths(tmp_path):
    model = kp.build_classifier((4, 3), num_classes=2, **SIZES)
    for name, message in (
        ("model.tf", r"ends with '.tflite'"),
        (".tflite", r"ends with '.tflite'"),
        ("no_such/model.tflite", "in a folder that exists"),
    ):
        with pytest.raises(ValueError, match=message):
            kp.export.litert(model, tmp_path / name)
    (tmp_path / "model.tflite").write_text("mine")
    with pytest.raises(ValueError, match="`path` must be a new file"):
        kp.export.litert(model, tmp_path / "model.tflite")
    assert (tmp_path / "model.tflite").read_text() == "mine"


def test_a_file_that_answers_otherwise_is_not_left(tmp_path, monkeypatch):
    model = kp.build_classifier((4, 3), num_classes=2, **SIZES)
    other = kp.build_classifier((4, 3), num_classes=2, **SIZES)
    monkeypatch.setattr("keras_perceiver.export.conversion.Conversion.convertible", lambda _: other)
    with pytest.raises(RuntimeError, match="the LiteRT file does not give the model"):
        kp.export.litert(model, tmp_path / "model.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "function, package", [("onnx", "tf2onnx"), ("onnx", "onnxruntime"), ("openvino", "openvino")]
)
def test_a_missing_package_is_named(function, package, monkeypatch, tmp_path):
    if package == "onnxruntime":
        pytest.importorskip("tf2onnx")
    monkeypatch.setitem(__import__("sys").modules, package, None)
    if package != "onnx" and function == "onnx":
        pytest.importorskip("onnx")
    with pytest.raises(ImportError, match=rf"{package}, which is not.*keras-perceiver\[export\]"):
        getattr(kp.export, function)(None, tmp_path / "model")
