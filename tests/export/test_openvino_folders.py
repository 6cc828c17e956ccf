"""Folders of versions for OpenVINO Model Server: whole, tested, and of one kind."""

import importlib
import os

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.export.runtimes import in_openvino
from tests.export.small import SIZES, digits_model

pytest.importorskip("openvino")

MODULE = importlib.import_module("keras_perceiver.export.openvino")  # the name is the function's
NAMES = list("0123456789")


@pytest.fixture(scope="module")
def model():
    return digits_model()


@pytest.fixture
def unconverted(monkeypatch):
    """Files are written without conversion, which takes seconds."""

    def write(conversion, path):
        path.write_text("network")
        path.with_suffix(".bin").write_text("weights")

    monkeypatch.setattr(MODULE, "_write", write)


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def contents(folder):
    return {name: (folder / name).read_bytes() for name in files(folder)}


@pytest.mark.slow
def test_a_version_answers_as_the_model_does(model, tmp_path):
    path = kp.export.openvino(model, tmp_path / "digits", class_names=NAMES)
    assert path == tmp_path / "digits" / "1"
    assert files(tmp_path) == [
        "digits/1/assets/class_names.txt",
        "digits/1/model.bin",
        "digits/1/model.xml",
    ]
    images = np.random.default_rng(0).random((3, 8, 8, 1)).astype("float32")
    found = in_openvino(path / "model.xml")({"array": images})
    assert list(found) == ["classes"]
    np.testing.assert_allclose(found["classes"], model(images), atol=2e-5)


def test_versions_count_up(model, unconverted, tmp_path):
    folder = tmp_path / "new" / "digits"
    for arguments, name in (({}, "1"), ({"version": 7}, "7"), ({}, "8")):
        assert kp.export.openvino(model, folder, **arguments) == folder / name
    assert sorted(os.listdir(folder)) == ["1", "7", "8"]
    assert files(folder / "8") == ["model.bin", "model.xml"]
    assert os.stat(folder / "8").st_mode & 0o777 == 0o755  # a server is another user


def test_class_names(model, unconverted, tmp_path):
    path = kp.export.openvino(model, tmp_path / "digits", class_names={"classes": NAMES})
    assert (path / "assets" / "classes_class_names.txt").read_text().split() == NAMES
    prepared = kp.build_classifier((4, 4, 3), num_classes=2, **SIZES)
    prepared.preparation = kp.preparation.ImagePreparation(4, 4, class_names=["cat", "dog"])
    path = kp.export.openvino(prepared, str(tmp_path / "pets"))
    assert (path / "assets" / "class_names.txt").read_text() == "cat\ndog\n"


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("new/digits", {"version": 0}, "`version` must be a whole number of at least 1"),
        ("new/digits", {"class_names": ["a"]}, "10 different strings"),
        ("new/digits/3", {}, "pass the version number as `version`"),
        ("new/", {}, "not with a path separator"),
        ("new/.xml", {}, "whose last part is '.xml'"),
        ("digits.xml", {"version": 2}, "`version` must be None if `path` is a file.*version=2"),
        ("digits.xml", {"class_names": NAMES}, "`class_names` must be None if `path` is a file"),
    ],
)
def test_what_is_refused_leaves_nothing(model, unconverted, name, arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        kp.export.openvino(model, f"{tmp_path}/{name}", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_exists_stays_as_it_is(model, unconverted, tmp_path):
    kp.export.openvino(model, tmp_path / "digits", version=2)
    (tmp_path / "digits" / "2" / "model.xml").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match="`version` must be a new one.*digits/2 exists"):
        kp.export.openvino(model, tmp_path / "digits", version=2)
    assert contents(tmp_path) == before
    assert os.listdir(tmp_path / "digits") == ["2"]


@pytest.mark.parametrize(
    "function, there, other",
    [("openvino", "saved_model.pb", "SavedModel"), ("saved_model", "model.xml", "OpenVINO")],
)
def test_versions_of_two_kinds_are_not_mixed(model, unconverted, function, there, other, tmp_path):
    folder = tmp_path / "digits"
    for version, name in (("2", there), ("10", "notes.txt")):
        (folder / version).mkdir(parents=True)
        (folder / version / name).write_text("")
    before = contents(tmp_path)
    for version in (None, 1):
        with pytest.raises(ValueError, match=f"other kinds than .*version 2 is of kind {other}"):
            getattr(kp.export, function)(model, folder, version)
    assert contents(tmp_path) == before
    assert sorted(os.listdir(folder)) == ["10", "2"]


def test_a_failure_while_writing_leaves_nothing(model, monkeypatch, tmp_path):
    def fail(conversion, path):
        assert path.name == "model.xml" and path.parent.is_dir()
        path.write_text("")
        raise OSError("No space left on device")

    monkeypatch.setattr(MODULE, "_write", fail)
    with pytest.raises(OSError, match="No space left"):
        kp.export.openvino(model, tmp_path / "new" / "digits", class_names=NAMES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_file_with_other_answers_is_not_put_in_place(model, tmp_path, monkeypatch):
    keras.utils.set_random_seed(7)
    other = digits_model()  # with weights of its own
    monkeypatch.setattr("keras_perceiver.export.conversion.Conversion.convertible", lambda _: other)
    with pytest.raises(RuntimeError, match="the OpenVINO file does not give the model's answers"):
        kp.export.openvino(model, tmp_path / "new" / "digits")
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_argument(model, tmp_path):
    with pytest.raises(TypeError, match="Did you mean `class_names`"):
        kp.export.openvino(model, tmp_path / "digits", class_name=NAMES)
