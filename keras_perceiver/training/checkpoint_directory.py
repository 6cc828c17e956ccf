"""Checkpoints as files that are whole or not there."""

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
    """A directory of the newest few checkpoints, `step-<steps so far>.npz`.

    A checkpoint is written aside, flushed to the disk and then renamed, so that a process that is
    killed leaves the last one or the new one, never half of one. Each has a checksum: one that was
    damaged later is passed over with a warning.

    Args:
        directory: Path; made if it is not there.
        keep: How many checkpoints to keep.
        writes: False for a process that only reads, as do all workers but the first.

    Raises:
        ValueError: if it cannot be made or written to and holds no checkpoint to go on from. If it
            holds one, that it cannot be written to is a warning.
    """

    def __init__(self, directory, keep=3, writes=True):
        self.directory = os.fspath(directory)
        self.keep = keep
        self.writes = writes
        if writes:
            self._prepare()

    def newest(self):
        """`(position, arrays)` of the newest checkpoint that can be read, or None.

        Warns of each newer one that cannot.
        """
        for path in reversed(self._paths()):
            try:
                return _read(path)
            except _DAMAGE as error:
                warnings.warn(
                    f"The checkpoint {path} cannot be read and is passed over: "
                    f"{type(error).__name__}: {error}",
                    stacklevel=2,
                )
        return None

    def save(self, step, position, arrays):
        """Writes a checkpoint, or warns that it could not; returns whether it did.

        Args:
            step: Whole number, larger for later ones.
            position: Anything that JSON can hold.
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
                f"The checkpoint {path} could not be written, training goes on without it: "
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
                if name.startswith(_ASIDE):  # of a process that was killed
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
            warnings.warn(f"{message}. Going on from {self._paths()[-1]}", stacklevel=2)

    def _paths(self):
        """The checkpoints that are there, the newest last."""
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
    """`array` itself, or its bits where NumPy's files do not know the type, such as bfloat16."""
    array = np.asarray(array)
    return array if array.dtype.isbuiltin == 1 else array.view(f"u{array.dtype.itemsize}")


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        return
