"""Checkpoint files that are either complete or absent."""

import json
import os
import re
import shutil
import warnings
import zipfile
import zlib

import numpy as np

from keras_perceiver import sealed_arrays

_ASIDE = ".writing-"
_NAME = re.compile(r"step-(\d{10})\.npz")
_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


class CheckpointDirectory:
    """A directory with the newest checkpoints, `step-<steps so far>.npz`.

    A checkpoint is written to a temporary file, flushed to disk and then renamed, so that a killed
    process never leaves a partial checkpoint. Each checkpoint has a checksum; if one was damaged
    later, it is skipped with a warning.

    Args:
        directory: Path; created if it does not exist.
        keep: Number of checkpoints to keep.
        writes: False for a process that only reads, like all workers but the first.

    Raises:
        ValueError: if the directory cannot be created or written to and holds no checkpoint. If it
            holds a checkpoint, this is only a warning.
    """

    def __init__(self, directory, keep=3, writes=True):
        self.directory = os.fspath(directory)
        self.keep = keep
        self.writes = writes
        if writes:
            self._prepare()

    def newest(self):
        """`(position, arrays)` of the newest readable checkpoint, or None.

        Warns about each newer checkpoint that cannot be read.
        """
        for path in reversed(self._paths()):
            try:
                return _read(path)
            except _DAMAGE as error:
                warnings.warn(
                    f"The checkpoint {path} cannot be read and is skipped: "
                    f"{type(error).__name__}: {error}",
                    stacklevel=2,
                )
        return None

    def save(self, step, position, arrays):
        """Writes a checkpoint, or warns if it could not be written; returns whether it succeeded.

        Args:
            step: Whole number that increases from checkpoint to checkpoint.
            position: Any JSON-compatible value.
            arrays: A list of NumPy arrays.
        """
        if not self.writes:
            return True
        path = os.path.join(self.directory, f"step-{step:010d}.npz")
        try:
            os.makedirs(self.directory, exist_ok=True)
            sealed_arrays.write(path, _named(position, arrays))
        except OSError as error:
            last = (self._paths() or ["none"])[-1]
            warnings.warn(
                f"The checkpoint {path} could not be written; training continues without it: "
                f"{error}. The last good one: {last}",
                stacklevel=2,
            )
            return False
        for old in self._paths()[: -self.keep]:
            _remove(old)
        return True

    def _prepare(self):
        probe = os.path.join(self.directory, ".writable")
        try:
            os.makedirs(self.directory, exist_ok=True)
            for name in os.listdir(self.directory):
                if name.startswith(_ASIDE):  # left by a killed process
                    shutil.rmtree(os.path.join(self.directory, name), ignore_errors=True)
            with open(probe, "wb") as file:
                file.write(b"0")
                os.fsync(file.fileno())
            os.remove(probe)
        except OSError as error:
            message = (
                "`directory` must be a directory that can be written to. Received: directory="
                f"{self.directory!r} ({error})"
            )
            if not self._paths():
                raise ValueError(message) from error
            warnings.warn(f"{message}. Resuming from {self._paths()[-1]}", stacklevel=2)

    def _paths(self):
        """Paths of the existing checkpoints, the newest last."""
        try:
            names = os.listdir(self.directory)
        except OSError:
            return []
        return [
            os.path.join(self.directory, name) for name in sorted(filter(_NAME.fullmatch, names))
        ]


def _named(position, arrays):
    named = {str(index): _plain(array) for index, array in enumerate(arrays)}
    return {"position": np.array(json.dumps(position)), "count": np.array(len(arrays)), **named}


def _read(path):
    found = sealed_arrays.read(path)
    position = json.loads(str(found["position"]))
    return position, [found[str(index)] for index in range(int(found["count"]))]


def _plain(array):
    """`array`, or its bits as integers if NumPy cannot save its type, such as bfloat16."""
    array = np.asarray(array)
    return array if array.dtype.isbuiltin == 1 else array.view(f"u{array.dtype.itemsize}")


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        return
