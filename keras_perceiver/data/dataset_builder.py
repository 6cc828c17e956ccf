"""Builders of TensorFlow Datasets, and ours in the same form."""

import importlib
import inspect
from pathlib import Path

from keras_perceiver import arguments
from keras_perceiver.data.sources import BUILDERS
from keras_perceiver.extras import require

_NOT_OPTIONS = ("data_dir", "source_dir", "config", "version", "file_format")


def dataset_builder(name, data_dir=None, source_dir=None, **options):
    """The builder of a data set; nothing is read or written yet.

    Args:
        name: "name" or "name/config", ours or one of TensorFlow Datasets.
        data_dir: Directory of prepared data sets. Default: that of TensorFlow Datasets.
        source_dir: Directory with the user's own files, of those data sets of ours that are made of
            such.
        **options: Further arguments of a builder of ours; see `builder_options`.

    Raises:
        ValueError: if `source_dir` is not wanted.
        ImportError: if TensorFlow Datasets is not installed.
    """
    tfds = require("tensorflow_datasets", "data")
    if data_dir is not None:
        data_dir = str(arguments.path("data_dir", data_dir).expanduser())
    base, _, config = name.partition("/")
    builder = _ours(base) if base in BUILDERS else None
    if source_dir is not None:
        if builder is None or not _takes_files(builder):
            raise ValueError(
                f"`source_dir` is for data sets made of a user's own files, which {name} is not. "
                f"Received: source_dir={str(source_dir)!r}"
            )
        options["source_dir"] = source_dir
    if builder is None:
        return tfds.builder(name, data_dir=data_dir)
    made = builder(data_dir=data_dir, **({"config": config} if config else {}), **options)
    if _takes_files(builder) and source_dir is None and not Path(made.data_path).exists():
        raise ValueError(
            f"`source_dir` must be the directory with your files of {name}, which is not prepared "
            f"in {made.data_dir}; docs/data.md says what it must hold. Received: source_dir=None"
        )
    return made


def builder_options(name):
    """Names of the further arguments of a builder of ours: what may be chosen of its data."""
    base = name.partition("/")[0]
    if base not in BUILDERS:
        return []
    own = inspect.signature(_ours(base)).parameters.values()
    own = [p.name for p in own if p.kind is p.KEYWORD_ONLY]
    return [name for name in own if name not in _NOT_OPTIONS]


def _takes_files(builder):
    return "source_dir" in inspect.signature(builder).parameters


def _ours(base):
    module, _, class_name = BUILDERS[base].partition(":")
    return getattr(importlib.import_module(module), class_name)


def prepare_once(builder, download=True):
    """Writes the data set of a builder in TFRECORD files, unless it was written before.

    It is written into a directory of another name first, so that nothing half-written stays.

    Raises:
        ValueError: if it was not, and `download` is False.
    """
    tfds = require("tensorflow_datasets", "data")
    if Path(builder.data_path).exists():
        return builder
    if not download:
        raise ValueError(
            f"{builder.name} is not prepared in {builder.data_dir}, and must be with "
            "download=False. Give `data_dir` as it was when the data set was prepared, or "
            "download=True"
        )
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    builder.download_and_prepare(download_config=config, file_format="tfrecord")
    return builder
