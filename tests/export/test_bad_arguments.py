"""Every error names the argument, and leaves nothing behind."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.export import version_folders
from keras_perceiver.export.exportable import check_exportable
from tests.export.small import PERCEIVER_SIZES, digits_model


@pytest.fixture(scope="module")
def model():
    return digits_model()


def unbuilt():
    return keras.Sequential([keras.layers.Dense(3)])


def diverged():
    model = digits_model()
    weight = model.trainable_weights[0]
    weight.assign(np.full(weight.shape, np.nan))
    return model


@pytest.mark.parametrize("function", ["saved_model", "onnx", "litert", "openvino"])
@pytest.mark.parametrize(
    "make, message",
    [
        (unbuilt, "must be a Perceiver from one of the builders.*Sequential, not built"),
        (
            lambda: kp.Perceiver((8, 8, 1), kp.Classes(10), **PERCEIVER_SIZES),
            "`model` must be compiled",
        ),
        (diverged, "finite weights. Received: NaN or infinity in .*/"),
        (lambda: "model.keras", "Received: str"),
    ],
    ids=["unbuilt", "uncompiled", "diverged", "a path"],
)
def test_models_that_are_not_ready(function, make, message, tmp_path):
    names = {"saved_model": "m", "onnx": "m.onnx", "litert": "m.tflite", "openvino": "m.xml"}
    if function in ("onnx", "openvino"):
        pytest.importorskip(function)
    with pytest.raises(ValueError, match=message):
        getattr(kp.export, function)(make(), tmp_path / names[function])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path, message",
    [
        ("", "not with a path separator"),
        ("models/", "not with a path separator"),
        ("models/digits/", "not with a path separator"),
        ("models\\digits", "whose last part is 'models"),
        ("models/..", "whose last part is '..'"),
        ("models/.hidden", "whose last part is '.hidden'"),
        ("models/two words", "whose last part is 'two words'"),
        ("models/digits/3", "pass the version number as `version`"),
        (3, "must be a path like"),
    ],
)
def test_names_that_cannot_be(model, path, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        kp.export.saved_model(model, path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"version": 0}, "`version` must be a whole number of at least 1"),
        ({"version": "1/2"}, "`version` must be a whole number of at least 1"),
        ({"max_batch": 0}, "`max_batch` must be a whole number"),
        ({"class_names": ["a", "b"]}, "10 different strings.*output 'classes'"),
        ({"class_names": ["a"] * 10}, "10 different strings"),
        ({"class_names": ["a\nb", *"cdefghijk"]}, "10 different strings"),
        ({"class_names": {"label": ["a"]}}, r"among \['classes'\]"),
        ({"prepare": {"image": len}}, r"among \['array'\]"),
        ({"prepare": {"array": 3}}, "must be a function from one string"),
    ],
)
def test_arguments_out_of_range(model, arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        kp.export.saved_model(model, tmp_path / "new" / "digits", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_argument(model, tmp_path):
    with pytest.raises(TypeError, match="Did you mean `class_names`"):
        kp.export.saved_model(model, tmp_path / "digits", class_name=["a"])


def test_a_file_where_the_folder_should_be(model, tmp_path):
    (tmp_path / "digits").write_text("")
    with pytest.raises(ValueError, match="digits is a file"):
        kp.export.saved_model(model, tmp_path / "digits")


def test_a_version_that_exists_stays_as_it_is(model, tmp_path):
    path = tmp_path / "digits" / "1"
    (path / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "variables/variables.index"):
        (path / name).write_text("")
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    with pytest.raises(ValueError, match="`version` must be a new one.*digits/1 exists"):
        kp.export.saved_model(model, path.parent, version=1)
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
    assert [entry.name for entry in path.parent.iterdir()] == ["1"]


def test_a_failure_while_writing_leaves_nothing(model, tmp_path, monkeypatch):
    def fail(aside, *args):
        assert (aside / "saved_model.pb").exists()
        raise OSError("No space left on device")

    module = sys.modules["keras_perceiver.export.saved_model"]
    nothing = SimpleNamespace(module=tf.Module(), signatures={})
    monkeypatch.setattr(module, "ServedFunctions", lambda *args: nothing)  # faster to write
    monkeypatch.setattr(module, "write_warmup", fail)
    with pytest.raises(OSError, match="No space left"):
        kp.export.saved_model(model, tmp_path / "new" / "digits")
    assert list(tmp_path.iterdir()) == []


def test_a_saved_model_with_other_answers_is_not_put_in_place(model, tmp_path, monkeypatch):
    def other(self, **changes):
        keras.utils.set_random_seed(7)
        return digits_model()  # with weights of its own

    module = sys.modules["keras_perceiver.export.saved_model"]
    monkeypatch.setattr(module, "rebuilt", other)
    with pytest.raises(RuntimeError, match="does not give the model's answers"):
        kp.export.saved_model(model, tmp_path / "digits")
    assert list(tmp_path.iterdir()) == []


def test_an_uncompiled_model_can_be_allowed():
    model = kp.Perceiver((6, 3), kp.Classes(2), **PERCEIVER_SIZES)
    check_exportable(model, allow_uncompiled=True)
    with pytest.raises(ValueError, match="`model` must be compiled"):
        check_exportable(model, allow_uncompiled=False)


@pytest.mark.slow
def test_an_uncompiled_model_is_exported_if_that_is_allowed(tmp_path):
    model = kp.Perceiver((6, 3), kp.Classes(2), **PERCEIVER_SIZES)
    path = kp.export.saved_model(model, tmp_path / "a", version=7, allow_uncompiled=True)
    assert path == tmp_path / "a" / "7"


def test_versions_count_up_past_what_is_no_version(tmp_path):
    folder = tmp_path / "digits"
    for name in ("3", "10", "notes", ".writing-xyz"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text("")
    with version_folders.written_aside(folder) as aside:
        (aside / "file").write_text("")
        assert version_folders.move_into_place(aside, folder, None) == folder / "11"
    assert sorted(os.listdir(folder)) == [".writing-xyz", "10", "11", "3", "notes"]


def test_exports_at_once_get_versions_of_their_own(tmp_path):
    folder = tmp_path / "digits"

    def write(number):
        with version_folders.written_aside(folder) as aside:
            (aside / "file").write_text(str(number))
            return version_folders.move_into_place(aside, folder, None)

    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(write, range(40)))
    assert sorted(int(place.name) for place in places) == list(range(1, 41))
    assert all((place / "file").read_text() == str(n) for n, place in enumerate(places))


def test_one_of_two_exports_of_one_version_wins(tmp_path):
    folder = tmp_path / "digits"
    with version_folders.written_aside(folder) as first:
        (first / "file").write_text("first")
        with version_folders.written_aside(folder) as second:
            (second / "file").write_text("second")
            version_folders.move_into_place(second, folder, 4)
        with pytest.raises(ValueError, match="`version` must be a new one"):
            version_folders.move_into_place(first, folder, 4)
    assert os.listdir(folder) == ["4"]
    assert (folder / "4" / "file").read_text() == "second"
