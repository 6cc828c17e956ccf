"""Arrays and a description in one file, without pickle."""

import json
import zipfile

import numpy as np

from keras_perceiver import arguments, sealed_arrays

_ABOUT = "about"


def place(path):
    """Returns a `Path` at which a file can be written, or raises ValueError."""
    path = arguments.path("path", path)
    if not path.parent.is_dir():
        raise ValueError(f"`path` must be in a folder that exists. Received: path={str(path)!r}")
    if path.is_dir():
        raise ValueError(f"`path` must be a file. Received: path={str(path)!r}, a folder")
    return path


def write(path, about, arrays):
    """Writes a description and named arrays; an existing file is replaced only at the end."""
    for name, array in arrays.items():
        if array.dtype.kind == "V":
            raise ValueError(
                "`model` must have weights of types that NumPy knows, such as float32. Received: "
                f"{name} of type {array.dtype}"
            )
    text = np.frombuffer(json.dumps(about).encode(), "uint8")
    sealed_arrays.write(path, {_ABOUT: text, **arrays})


def read(path, kind):
    """The description and the arrays of a file written by `kp.finetuning.<kind>`."""
    wanted = f"`path` must be a file written by kp.finetuning.{kind}. Received: path={str(path)!r}"
    if not arguments.path("path", path).is_file():
        raise ValueError(f"{wanted}, which does not exist")
    try:
        arrays = sealed_arrays.read(path)
        about = json.loads(arrays.pop(_ABOUT).tobytes())
    except (ValueError, LookupError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{wanted}, which is something else or damaged: {error}") from error
    if not isinstance(about, dict):
        raise ValueError(f"{wanted}, whose description is not a dict: {about!r}")
    if about.get("kind") != kind:
        raise ValueError(f"{wanted}, which was written by kp.finetuning.{about.get('kind')}")
    for name, array in arrays.items():
        arguments.finite(name, array)
    return about, arrays


def assign(variables, arrays, path):
    """Assigns arrays to variables by name; raises ValueError before any if one does not fit."""
    for name, array in arrays.items():
        wanted = tuple(variables[name].shape) if name in variables else None
        if wanted != array.shape:
            raise ValueError(
                f"`path` must hold weights of this model, {name} of shape {wanted}. Received: "
                f"shape {array.shape} in {str(path)!r}"
            )
    for name, array in arrays.items():
        variables[name].assign(array)
