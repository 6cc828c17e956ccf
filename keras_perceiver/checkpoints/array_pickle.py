"""Reads pickles that hold NumPy arrays in dicts, and nothing else, without running their code."""

import pickle
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

_LARGE = 4096  # bytes; arrays of at least this size stay in the file until they are read
_MAPPINGS = {
    ("haiku._src.data_structures", "FlatMapping"),
    ("haiku._src.data_structures", "FlatMap"),
    ("haiku._src.data_structures", "frozendict"),
    ("collections", "OrderedDict"),
    ("builtins", "dict"),
}


class StoredBytes(NamedTuple):
    """Bytes that were left in the file."""

    start: int
    size: int


class StoredArray:
    """A NumPy array of which only the description has been read.

    Attributes:
        shape: A tuple.
        dtype: A `np.dtype` of numbers.
    """

    def __setstate__(self, state):
        _, shape, dtype, self._fortran, self._contents = state
        self.shape = tuple(int(size) for size in shape)
        if not isinstance(dtype, _StoredDtype) or dtype.kind not in "fiub":
            raise pickle.UnpicklingError(f"an array has the type {dtype}, not a type of numbers")
        self.dtype = dtype.numpy()
        contents = self._contents
        if isinstance(contents, str):  # of old protocols
            self._contents = contents = contents.encode("latin1")
        if not isinstance(contents, (bytes, bytearray, StoredBytes)):
            raise pickle.UnpicklingError("the contents of an array are not bytes")
        size = contents.size if isinstance(contents, StoredBytes) else len(contents)
        if size != self.dtype.itemsize * int(np.prod(self.shape, dtype=object)):
            raise pickle.UnpicklingError(f"an array of shape {self.shape} has {size} bytes")

    def read(self, path):
        """The array itself, from the file at `path`."""
        contents = self._contents
        if isinstance(contents, StoredBytes):
            with open(path, "rb") as file:
                file.seek(contents.start)
                contents = file.read(contents.size)
        flat = np.frombuffer(contents, self.dtype)
        return flat.reshape(self.shape, order="F" if self._fortran else "C")


class _StoredDtype:
    """A NumPy type of which only the name and the byte order have been read."""

    def __init__(self, name, *_):
        self._name, self._order = str(name), "="
        self.kind = self._name.lstrip("<>=|")[:1]

    def __setstate__(self, state):
        self._order = state[1] if state[1] in ("<", ">", "=", "|") else "="

    def numpy(self):
        return np.dtype(self._name).newbyteorder(self._order)

    def __str__(self):
        return self._name


class _Scalar(NamedTuple):
    """A NumPy scalar, such as Haiku's counters."""

    shape = ()
    dtype: _StoredDtype
    contents: bytes

    def read(self, path):
        return np.frombuffer(self.contents, self.dtype.numpy())[0]


def _reconstruct(kind, shape, code):
    return StoredArray()


def _from_buffer(contents, dtype, shape, order):
    array = StoredArray()
    array.__setstate__((1, shape, dtype, order == "F", contents))
    return array


def _mapping(items=()):
    return dict(items)


def _latin1(text, encoding):
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"text in the encoding {encoding!r}")
    return text.encode("latin1")


def _no_bytes():
    return b""  # of an empty array, in old protocols


def _array_kind(*_):
    raise pickle.UnpicklingError("numpy.ndarray is called")


_ADMITTED = {
    ("numpy", "dtype"): _StoredDtype,
    ("numpy", "ndarray"): _array_kind,  # only named, as an argument of _reconstruct
    ("_codecs", "encode"): _latin1,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _Scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
    **dict.fromkeys(_MAPPINGS, _mapping),
}


class _Reader(pickle._Unpickler):
    """The standard library's unpickler in Python, with stand-ins for all that a file may name.

    Nothing a file names is imported: a name that is not in `_ADMITTED` ends the reading. Large
    bytes are skipped, so that a file of any size is described in little memory.
    """

    def find_class(self, module, name):
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}; only NumPy arrays, dicts and Haiku's FlatMapping "
                "are admitted"
            )
        return _ADMITTED[module, name]

    def persistent_load(self, pid):
        raise pickle.UnpicklingError("it refers to another file")

    def get_extension(self, code):
        raise pickle.UnpicklingError("it uses registered extensions")

    def _bytes(self, size):
        if size < _LARGE or self._unframer.current_frame is not None:
            contents = self.read(size)
            if len(contents) < size:
                raise EOFError
            return contents
        start = self._source.tell()
        if start + size > self._size:
            raise EOFError
        self._source.seek(start + size)
        return StoredBytes(start, size)

    def load_binbytes(self):
        self.append(self._bytes(struct.unpack("<I", self.read(4))[0]))

    def load_binbytes8(self):
        self.append(self._bytes(struct.unpack("<Q", self.read(8))[0]))

    def load_build(self):
        """Sets the state of an array or a type; of anything else, a file could change our code."""
        state = self.stack.pop()
        made = self.stack[-1]
        if not isinstance(made, (StoredArray, _StoredDtype)):
            raise pickle.UnpicklingError(f"it sets the state of {made!r}")
        made.__setstate__(state)

    dispatch = {
        **pickle._Unpickler.dispatch,
        pickle.BUILD[0]: load_build,
        pickle.BINBYTES[0]: load_binbytes,
        pickle.BINBYTES8[0]: load_binbytes8,
        pickle.BYTEARRAY8[0]: load_binbytes8,
    }

    def __init__(self, file, size):
        super().__init__(file)
        self._source, self._size = file, size


def read_array_pickle(path):
    """The description of the arrays in a pickle: dicts of `StoredArray`.

    Args:
        path: A file of nested dicts of NumPy arrays, such as DeepMind's weights.

    Raises:
        ValueError: if the file holds anything else, is truncated or damaged. Nothing in it is run.

    Example:

    >>> params = read_array_pickle("language_perceiver_io_bytes.pickle")
    >>> params["embed"]["embeddings"].shape
    (262, 768)
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            found = _Reader(file, path.stat().st_size).load()
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can raise any error
        reason = str(error) or "it ends too early"
        raise ValueError(
            f"`path` must be a pickle of NumPy arrays in dicts. Received: {str(path)!r}, which is "
            f"something else or damaged: {reason}"
        ) from error
    if not isinstance(found, dict):
        raise ValueError(
            f"`path` must be a pickle of NumPy arrays in dicts. Received: {str(path)!r}, which "
            f"holds {type(found).__name__}"
        )
    return found
