"""Arrays in one file without pickle, written atomically and protected by a checksum.

A file is an ordinary `.npz`. Its zip comment, the last 64 bytes, is the SHA-256 of all bytes before
it, so that a single flipped bit anywhere is detected before anything is read.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np

_SEAL = 64  # hexadecimal digits of SHA-256


@contextlib.contextmanager
def written_aside(path, prefix=".writing-"):
    """Yields a path of the same name in a temporary folder; moves the file to `path` at the end.

    If the block raises, `path` is unchanged and the temporary folder is deleted. Other files in the
    folder are moved too, before the one with the name of `path`.
    """
    path = Path(path)
    aside = Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    try:
        yield aside / path.name
        for written in sorted(aside.iterdir(), key=lambda file: file.name == path.name):
            os.replace(written, path.parent / written.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write(path, arrays):
    """Writes named arrays and flushes them to disk; an existing file is replaced."""
    with written_aside(path) as aside, open(aside, "w+b") as file:
        np.savez(file, **arrays)
        with zipfile.ZipFile(file, "a") as archive:
            archive.comment = b"0" * _SEAL
        seal = _digest(file)
        file.seek(-_SEAL, os.SEEK_END)
        file.write(seal)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path):
    """Reads the arrays by name.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is damaged, or was not written by `write`.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size <= _SEAL:
            raise ValueError(f"it has only {size} bytes")
        file.seek(-_SEAL, os.SEEK_END)
        if file.read() != _digest(file):
            raise ValueError("its checksum does not match its contents")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)


def _digest(file):
    """SHA-256 of all but the last bytes, in hexadecimal digits."""
    digest, left = hashlib.sha256(), file.seek(0, os.SEEK_END) - _SEAL
    file.seek(0)
    while left:
        chunk = file.read(min(left, 2**24))
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()
