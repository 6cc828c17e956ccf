"""The bytes of files."""

import os

import tensorflow as tf

from keras_perceiver import arguments


def file_bytes(name, path):
    """The contents of a file as a string scalar.

    Raises:
        ValueError: if `path` is not a path.
        FileNotFoundError: if there is no such file.
    """
    return tf.constant(arguments.path(name, path).read_bytes())


def each_file_bytes(name, paths):
    """The contents of one file, or of a list of them, as a string vector."""
    paths = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    if not isinstance(paths, (list, tuple)) or not paths:
        raise ValueError(f"`{name}` must be a path or a list of paths. Received: {name}={paths!r}")
    return tf.stack([file_bytes(f"{name}[{i}]", path) for i, path in enumerate(paths)])
