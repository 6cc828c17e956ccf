"""Finds DeepMind's own Perceiver code, which is on GitHub only.

It is the folder `perceiver` of github.com/google-deepmind/deepmind-research.
"""

import importlib
import sys
import types
from pathlib import Path

FILES = ("perceiver.py", "io_processors.py", "position_encoding.py")


def folder(directory):
    """The folder with the code.

    Args:
        directory: A checkout of deepmind-research.

    Raises:
        ValueError: if it lacks one of the files.

    Example:

    >>> folder("deepmind-research")
    PosixPath('deepmind-research/perceiver')
    """
    inside = Path(directory) / "perceiver"
    for name in FILES:
        if not (inside / name).is_file():
            raise ValueError(
                "`deepmind_source` must be a checkout of google-deepmind/deepmind-research, with "
                f"perceiver/{name}. Received: deepmind_source={str(directory)!r}"
            )
    return inside


def load(directory):
    """Imports `perceiver.perceiver` and `perceiver.io_processors` from a checkout.

    The package is made here, because the folder has no `__init__.py`, and an installed package of
    the same name (that of perceiver-io) would be found instead.

    Args:
        directory: A checkout of deepmind-research.

    Returns:
        Both modules.

    Raises:
        ValueError: if it lacks one of the files.
    """
    package = types.ModuleType("perceiver")
    package.__path__ = [str(folder(directory).resolve())]
    sys.modules["perceiver"] = package
    return tuple(importlib.import_module(f"perceiver.{n}") for n in ("perceiver", "io_processors"))
