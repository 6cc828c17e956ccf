"""A model as a directory, in KerasHub's layout."""

import datetime
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import keras

from keras_perceiver import arguments
from keras_perceiver.version import __version__

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
PREPROCESSOR, CARD = "preprocessor.json", "README.md"
FILES = (CONFIG, METADATA, WEIGHTS, PREPROCESSOR, CARD)


def save_preset(model, directory, overwrite=False):
    """Writes a `Perceiver`; see `Perceiver.save_to_preset`."""
    directory = arguments.path("directory", directory)
    arguments.flag("overwrite", overwrite)
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"`directory` must be a folder. Received: {str(directory)!r}, a file")
    if directory.exists() and any(directory.iterdir()) and not overwrite:
        raise ValueError(
            "`directory` must be new or empty, or overwrite=True must be given. Received: "
            f"{str(directory)!r}"
        )
    _check_rebuildable(model)
    config = keras.saving.serialize_keras_object(model)
    directory.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=directory.parent))
    try:
        _write_json(aside / CONFIG, config)
        _save_weights(model, aside / WEIGHTS)
        if model.preparation is not None:
            prepared = keras.saving.serialize_keras_object(model.preparation)
            _write_json(aside / PREPROCESSOR, prepared)
        (aside / CARD).write_text(_card(model), encoding="utf8")
        written = [path for path in FILES if (aside / path).is_file() and path != METADATA]
        metadata = {
            "keras_version": keras.version(),
            "keras_perceiver_version": __version__,
            "parameter_count": model.count_params(),
            "date_saved": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d@%H:%M:%S"),
            "sha256": {name: digest(aside / name) for name in written if name != CARD},
        }
        _write_json(aside / METADATA, metadata)
        directory.mkdir(exist_ok=True)
        for name in FILES:
            if (aside / name).is_file():
                os.replace(aside / name, directory / name)
            else:
                (directory / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load_preset(directory, compile=True):
    """The `Perceiver` in a directory of `save_preset`, without its `preparation`.

    Raises:
        ValueError: if a file is missing, truncated or damaged.
    """
    directory = Path(directory)
    metadata = _read_json(directory / METADATA)
    sums = metadata.get("sha256") if isinstance(metadata, dict) else None
    if not isinstance(sums, dict) or not {CONFIG, WEIGHTS} <= set(sums):
        raise ValueError(f"{str(directory / METADATA)!r} is not of a Perceiver, or damaged")
    for name, expected in sums.items():
        path = directory / name
        if name not in FILES or not path.is_file():
            raise ValueError(f"{str(directory)!r} lacks the file {name}")
        if digest(path) != expected:
            raise ValueError(
                f"{str(path)!r} is truncated or damaged: its checksum is not the one in {METADATA}"
            )
    config = _read_json(directory / CONFIG)
    model = keras.saving.deserialize_keras_object(_without_compiling(config))
    model.load_weights(directory / WEIGHTS)
    if compile and config.get("compile_config"):
        model.compile_from_config(config["compile_config"])
    return model


def is_preset_directory(path):
    return (Path(path) / CONFIG).is_file() and (Path(path) / METADATA).is_file()


def digest(path):
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_rebuildable(model):
    """Refuses models whose layers were changed in place, by LoRA or quantization."""
    paths = [(weight.path, tuple(weight.shape)) for weight in model.weights]
    twin = type(model).from_config(model.get_config())
    if [(weight.path, tuple(weight.shape)) for weight in twin.weights] != paths:
        raise ValueError(
            "`model` must have the weights that its config describes. Received: a model whose "
            "layers were changed after it was built, as LoRA and quantization do. Merge the "
            "adapters first, or save the model with kp.finetuning"
        )


def _save_weights(model, path):
    """The weights of the layers alone: a preset is no checkpoint to resume training from."""
    optimizer = getattr(model, "optimizer", None)
    try:
        model.optimizer = None
        model.save_weights(path)
    finally:
        model.optimizer = optimizer


def _without_compiling(config):
    return {key: value for key, value in config.items() if key != "compile_config"}


def _write_json(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf8")


def _read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is missing or damaged: {error}") from error


def _card(model):
    inputs = ", ".join(f"{k} ({type(v).__name__})" for k, v in model.input_descriptions.items())
    outputs = ", ".join(f"{k} ({type(v).__name__})" for k, v in model.output_descriptions.items())
    return f"""---
library_name: keras
tags:
- perceiver
- keras-perceiver
---

# {model.name}

A Perceiver of {model.count_params():,} parameters, from {inputs} to {outputs}.

```python
import keras_perceiver as kp

model = kp.from_preset("this directory, or hf://its/repository")
```

Trained on, for, and with which results: to be written by whoever publishes it.
"""
