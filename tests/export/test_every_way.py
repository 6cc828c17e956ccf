"""Every builder, way of attention and format: the file answers as the model does."""

import math
import os

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.layers import slices, steps, ways
from tests.export.builders import BUILDERS, SEPARABLE, far_request, make
from tests.export.runtimes import RUNTIMES, SUFFIXES, in_openvino
from tests.export.small import SIZES
from tests.random_values import randomize, to_numpy

TOLERANCE = 1e-5  # of the largest output
WAYS = ("plain", "separable", "chunked")
ALL = [
    (export, name, way)
    for name in BUILDERS
    for way in WAYS
    if way != "separable" or name in SEPARABLE
    for export in sorted(RUNTIMES)
]
# A tenth of all, over builders, ways and formats; all take half an hour (make test-exports).
CASES = ALL if os.environ.get("ALL_EXPORTS") else ALL[::10]
# In bfloat16: points, whose positions are made at run time, and a few others, or all.
HALF = BUILDERS if os.environ.get("ALL_EXPORTS") else ("points", "entities", "several", "flow")


@pytest.fixture
def many_slices(monkeypatch):
    """Slices as in large models: all of a small model would be one. The model itself is called
    outside, with everything at once."""
    fitting = slices.fitting
    monkeypatch.setattr(slices, "fitting", lambda n, size: fitting(n, 1))


@pytest.fixture
def small_steps(monkeypatch):
    """Loops as in large models."""
    monkeypatch.setattr(steps, "CACHE", 64)
    monkeypatch.setattr(steps, "ACCELERATOR", 64)


@pytest.fixture
def always_auto(monkeypatch):
    """Lets "auto" choose for these small models as it does for large ones."""
    for limit in ("FEW_INPUTS", "MANY_SCORES"):
        monkeypatch.setattr(ways, limit, 16)


def asked(model, request):
    """The model's answers by name."""
    inputs = request if isinstance(model.input, dict) else next(iter(request.values()))
    answers = to_numpy(model(inputs, training=False))
    return (
        answers if isinstance(answers, dict) else {next(iter(model.output_descriptions)): answers}
    )


def largest_error(run, model, names=None, batches=(1, 3)):
    """The largest difference between the answers of a file and the model, of the largest output.

    `names` gives the outputs' names in the file, if they are not those of the model.
    """
    errors = []
    for batch in batches:
        request = far_request(model, batch)
        found, wanted = run(request), asked(model, request)
        assert sorted(found) == sorted((names or {}).get(name, name) for name in wanted)
        for name, want in wanted.items():
            have = found[(names or {}).get(name, name)]
            assert have.shape == want.shape and np.abs(want).max() > 1e-3
            errors.append(float(np.abs(have - want).max() / np.abs(want).max()))
    return max(errors)


def names_in_file(export, model):
    """{name of an output: its name in the file} where they differ."""
    outputs = list(model.output_descriptions)
    if export == "litert":
        return {} if isinstance(model.output, dict) else {outputs[0]: "output_0"}
    inputs = {tensor.name for tensor in model.inputs}
    return {name: f"{name}_output" for name in outputs if name in inputs}


def exported(export, model, folder):
    for package in {"onnx": ("tf2onnx", "onnxruntime"), "openvino": ("openvino",)}.get(export, ()):
        pytest.importorskip(package)
    return getattr(kp.export, export)(model, folder / f"model{SUFFIXES[export]}")


@pytest.mark.slow
@pytest.mark.parametrize("export, name, way", CASES)
def test_files_of_every_builder(export, name, way, tmp_path, many_slices):
    model = randomize(make(name, attention=way))
    run = RUNTIMES[export](exported(export, model, tmp_path))
    assert largest_error(run, model, names_in_file(export, model)) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(
    "export, name",
    [("onnx", "classifier of pictures"), ("openvino", "flow"), ("litert", "language")],
)
def test_the_way_that_auto_chooses(export, name, tmp_path, many_slices, always_auto):
    model = randomize(make(name, attention="auto"))
    run = RUNTIMES[export](exported(export, model, tmp_path))
    assert largest_error(run, model, names_in_file(export, model)) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_openvino_in_bfloat16(way, tmp_path, many_slices):
    """Its own precision on processors that have it, in which its loops crashed."""
    model = randomize(make("flow", attention=way), stddev=0.1)
    run = in_openvino(exported("openvino", model, tmp_path), "bf16")
    assert largest_error(run, model) < 3e-2


@pytest.mark.slow
@pytest.mark.parametrize("name", HALF)
def test_every_builder_in_openvinos_bfloat16(name, tmp_path):
    """Joined positions of points were read from memory that nobody had written."""
    model = randomize(make(name), stddev=0.3 if name == "entities" else 0.1)
    run = in_openvino(exported("openvino", model, tmp_path), "bf16")
    # Angles of points are rounded to bfloat16, too; entities have larger weights here.
    tolerance = 0.1 if name in ("points", "entities") else 0.05
    assert largest_error(run, model, names_in_file("openvino", model)) < tolerance


def largest_array(model):
    """The most numbers that an operation of an unrolled model gives for one example."""

    @tf.function(autograph=False)
    def serve(array):
        return model(array, training=False)

    with slices.unrolled():
        graph = serve.get_concrete_function(tf.TensorSpec(model.input.shape, "float32")).graph
    operations = graph.get_operations()
    assert not [op.name for op in operations if "While" in op.type]
    # Constants are tables, and inputs of operations are weights, which have no open batch size.
    shapes = [tensor.shape for op in operations for tensor in op.outputs if tensor.shape.rank]
    known = [shape[1:] for shape in shapes if shape[0] is None and None not in shape[1:]]
    return max(map(math.prod, known))


@pytest.mark.slow
def test_no_keys_values_and_joined_positions_without_loops(many_slices):
    """Separable attention stays separable: 33 x 31 cells of 3 + 258 channels are never joined."""
    cells = 33 * 31
    image = kp.Image(33, 31, num_bands=64)
    model = kp.build_classifier(image, 5, attention="separable", **SIZES)
    assert largest_array(model) <= cells * (3 + 1)  # with the mean
    plain = kp.build_classifier(image, 5, attention="plain", **SIZES)
    assert largest_array(plain) >= cells * 261


@pytest.mark.slow
@pytest.mark.parametrize("name, way", [("classifier", "separable"), ("language", "chunked")])
def test_onnx_cannot_load_loops(name, way, tmp_path, small_steps, monkeypatch):
    """The reason for slices. If this test fails, tf2onnx has learned them."""
    monkeypatch.setattr(slices, "are_wanted", lambda: False)
    with pytest.raises(Exception, match="Invalid tensor data type 0"):
        exported("onnx", make(name, attention=way), tmp_path)
    assert list(tmp_path.iterdir()) == []
