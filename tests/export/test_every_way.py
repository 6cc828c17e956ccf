"""Every builder, way of attention and format: the file answers as the model does."""

import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.layers import slices, steps, ways
from tests.export.builders import BUILDERS, SEPARABLE, far_request, make
from tests.export.runtimes import RUNTIMES, SUFFIXES, in_openvino
from tests.random_values import randomize, to_numpy

TOLERANCE = 1e-5  # of the largest output
WAYS = ("plain", "separable", "chunked")
CASES = [
    (name, way) for name in BUILDERS for way in WAYS if way != "separable" or name in SEPARABLE
]


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


def largest_error(run, model, batches=(1, 3)):
    """The largest difference between the answers of a file and the model, of the largest output."""
    errors = []
    for batch in batches:
        request = far_request(model, batch)
        found, wanted = run(request), asked(model, request)
        if set(found) != set(wanted):
            names = {f"{name}_output": name for name in wanted} | {"output_0": next(iter(wanted))}
            found = {names.get(name, name): value for name, value in found.items()}
        assert sorted(found) == sorted(wanted)
        for name, want in wanted.items():
            assert found[name].shape == want.shape and np.abs(want).max() > 1e-3
            errors.append(float(np.abs(found[name] - want).max() / np.abs(want).max()))
    return max(errors)


def exported(export, model, folder):
    for package in {"onnx": ("tf2onnx", "onnxruntime"), "openvino": ("openvino",)}.get(export, ()):
        pytest.importorskip(package)
    return getattr(kp.export, export)(model, folder / f"model{SUFFIXES[export]}")


@pytest.mark.slow
@pytest.mark.parametrize("name, way", CASES)
@pytest.mark.parametrize("export", RUNTIMES)
def test_files_of_every_builder(export, name, way, tmp_path, many_slices):
    model = randomize(make(name, attention=way))
    error = largest_error(RUNTIMES[export](exported(export, model, tmp_path)), model)
    assert error < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["classifier of pictures", "flow", "language"])
@pytest.mark.parametrize("export", RUNTIMES)
def test_the_way_that_auto_chooses(export, name, tmp_path, many_slices, always_auto):
    model = randomize(make(name, attention="auto"))
    run = RUNTIMES[export](exported(export, model, tmp_path))
    assert largest_error(run, model) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_openvino_in_bfloat16(way, tmp_path, many_slices):
    """Its own precision on processors that have it, in which its loops crashed."""
    model = randomize(make("flow", attention=way), stddev=0.1)
    run = in_openvino(exported("openvino", model, tmp_path), "bf16")
    assert largest_error(run, model) < 3e-2


@pytest.mark.slow
@pytest.mark.parametrize("name, way", [("classifier", "separable"), ("language", "chunked")])
def test_onnx_cannot_load_loops(name, way, tmp_path, small_steps, monkeypatch):
    """The reason for slices. If this test fails, tf2onnx has learned them."""
    monkeypatch.setattr(slices, "are_wanted", lambda: False)
    with pytest.raises(Exception, match="Invalid tensor data type 0"):
        exported("onnx", make(name, attention=way), tmp_path)
    assert list(tmp_path.iterdir()) == []
