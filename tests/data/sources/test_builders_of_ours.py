"""What holds for all builders of ours."""

import importlib
import inspect
import pickle
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from keras_perceiver.data.sources import BUILDERS


def loaded(place):
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def test_names():
    assert list(BUILDERS) == sorted(BUILDERS)
    root = Path(tfds.__file__).parent
    theirs = {path.stem for path in root.rglob("*.py")} | {
        path.name for path in (root / "datasets").iterdir()
    }
    assert "moving_mnist" in theirs and "mnist" in theirs
    assert not theirs & set(BUILDERS)


@pytest.mark.parametrize("name", BUILDERS)
def test_each_is_a_builder_of_that_name_in_a_file_of_that_name(name):
    builder = loaded(BUILDERS[name])
    assert issubclass(builder, tfds.core.GeneratorBasedBuilder)
    assert builder.name == name and Path(inspect.getfile(builder)).stem == name
    assert tfds.builder_cls(name) is builder


@pytest.mark.parametrize(
    "name, options",
    [
        ("moving_digits", {"size": 11, "seed": 3}),
        ("sintel_flow", {"rendering": "clean", "corrupt": "skip"}),
    ],
)
def test_a_pickled_builder_keeps_its_arguments(tmp_path, name, options):
    if name == "sintel_flow":
        options["source_dir"] = tmp_path
    builder = loaded(BUILDERS[name])(data_dir=tmp_path, **options)
    again = pickle.loads(pickle.dumps(builder))
    assert again.data_path == builder.data_path and again.options == builder.options
    for attribute in ("source_dir", "corrupt"):
        assert getattr(again, attribute, None) == getattr(builder, attribute, None)
