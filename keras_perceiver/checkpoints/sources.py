"""Where weights are read from: shapes by name at once, arrays one at a time."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_perceiver import arguments, extras
from keras_perceiver.checkpoints.array_pickle import StoredArray, read_array_pickle

_PICKLES = (".pickle", ".pkl", ".pystate")
_COUNTERS = ("/counter", "/hidden", "//counter", "//hidden")  # of Haiku's moving averages


class Source:
    """Named arrays.

    Attributes:
        where: What is read, for errors.
        shapes: {name: shape}
    """

    def __init__(self, where, shapes, read):
        self.where, self.shapes, self._read = where, shapes, read

    def read(self, name):
        """The array of that name; raises ValueError if it is not made of finite numbers."""
        array = np.asarray(self._read(name))
        if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
            raise ValueError(
                f"{self.where} must hold floating-point weights. Received: {name} of type "
                f"{array.dtype}"
            )
        array = array.astype("float32", copy=False)
        if not np.isfinite(array).all():
            raise ValueError(f"{self.where} is damaged: {name} has values that are not finite")
        return array


def safetensors_source(folder):
    """The weights in a folder of Hugging Face's: model.safetensors, whole or in several files.

    Raises:
        ValueError: if there are none, or a file is truncated or damaged.
        ImportError: if the package safetensors is not installed.
    """
    files = _safetensors_files(Path(folder))
    safe_open = extras.require("safetensors", "checkpoints").safe_open
    opened, shapes = {}, {}
    for path in files:
        try:
            file = safe_open(path, framework="numpy")
            for name in file.keys():  # noqa: SIM118
                opened[name] = file
                shapes[name] = tuple(file.get_slice(name).get_shape())
        except Exception as error:
            raise ValueError(f"{str(path)!r} is truncated or damaged: {error}") from error
    return Source(repr(str(folder)), shapes, lambda name: opened[name].get_tensor(name))


def _safetensors_files(folder):
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise ValueError(f"{str(folder)!r} lacks the files {missing} of its index")
        return [folder / name for name in names]
    if list(folder.glob("*.bin")):
        raise ValueError(
            f"{str(folder)!r} has PyTorch's .bin files alone, which are pickles: reading one can "
            "run any code. Use the model.safetensors of the same model; "
            "`save_pretrained(..., safe_serialization=True)` in transformers writes one"
        )
    raise ValueError(f"{str(folder)!r} must have a file model.safetensors")


def deepmind_source(weights):
    """The weights in a file of DeepMind's, or in a dict.

    Args:
        weights: A path that ends in .pickle, .pkl, .pystate or .npz; or a dict. Arrays are named
            `scope//name`, or are in dicts by name in a dict by scope, alone or with Haiku's state
            in a dict of "params" and "state".

    Raises:
        ValueError: if it is something else, truncated or damaged.
    """
    if isinstance(weights, Mapping):
        where, tree, read = "`weights`", weights, np.asarray
    else:
        path = arguments.path("weights", weights)
        where = repr(str(path))
        if not path.is_file():
            raise ValueError(f"`weights` must be a file that exists. Received: {where}")
        if path.suffix == ".npz":
            return _npz_source(where, path)
        if path.suffix not in _PICKLES:
            raise ValueError(
                "`weights` must be a dict or a file that ends in .npz, .pickle, .pkl or .pystate. "
                f"Received: {where}"
            )
        tree, read = read_array_pickle(path), lambda array: array.read(path)
    if set(tree) == {"params", "state"}:
        tree = {"": tree["params"], " ": tree["state"]}
    arrays = {name: array for name, array in _flat(tree).items() if not name.endswith(_COUNTERS)}
    for name, array in arrays.items():
        if not isinstance(array, StoredArray) and not hasattr(array, "shape"):
            raise ValueError(f"{where} must hold arrays. Received: {name}, {type(array).__name__}")
    shapes = {name: tuple(array.shape) for name, array in arrays.items()}
    return Source(where, shapes, lambda name: read(arrays[name]))


def _flat(tree):
    """{scope//name: array} from dicts in dicts; names of "params" and "state" are left out."""
    found = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            inside = {f"{key}//{name}".removeprefix("//"): v for name, v in _flat(value).items()}
            found |= {name.removeprefix(" //"): v for name, v in inside.items()}
        else:
            found[str(key)] = value
    return found


def _npz_source(where, path):
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            shapes = {name: _npy_shape(arrays, name) for name in arrays.files}
    except Exception as error:
        raise ValueError(f"{where} is not an .npz file, truncated or damaged: {error}") from error
    shapes = {name: shape for name, shape in shapes.items() if not name.endswith(_COUNTERS)}

    def read(name):
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                return arrays[name]
        except Exception as error:
            raise ValueError(f"{where} is damaged at {name}: {error}") from error

    return Source(where, shapes, read)


def _npy_shape(arrays, name):
    """The shape in the header of one array, without reading the array."""
    with arrays.zip.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        header = "read_array_header_1_0" if version == (1, 0) else "read_array_header_2_0"
        return getattr(np.lib.format, header)(file)[0]
