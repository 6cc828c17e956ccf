"""`<name>/<version>/` folders for model servers, written under another name and then moved."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from pathlib import Path

from keras_perceiver import arguments

KINDS = {"SavedModel": "saved_model.pb", "OpenVINO": "*.xml"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def model_folder(path):
    """Returns `path` as a Path whose last part can be the name of a model, or raises ValueError."""
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(
            f"`path` must be a path like 'saved_models/digits'. Received: path={path!r}"
        )
    text = os.fspath(path)
    name = text.split("/")[-1]
    wanted = (
        "`path` must end with the name of the model, of letters, digits, '.', '_' and '-', like "
        "'saved_models/digits'"
    )
    if name == "":
        raise ValueError(f"{wanted}, not with a path separator. Received: path={text!r}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{wanted}. Received: path={text!r}, whose last part is {name!r}")
    if name.isdigit():
        raise ValueError(f"{wanted}; pass the version number as `version`. Received: path={text!r}")
    folder = Path(text)
    for place in (folder, *folder.parents):
        if place.exists():
            if not place.is_dir():
                raise ValueError(f"`path` must be in a folder. Received: {place} is a file")
            break
    return folder


def versions(folder):
    """The versions in a model's folder, in order."""
    if not folder.exists():
        return []
    return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdigit())


def check_version(folder, version):
    """Raises ValueError if `version` is not a whole number of at least 1, or exists already."""
    if version is None:
        return
    arguments.whole_number("version", version)
    if version in versions(folder):
        raise ValueError(
            f"`version` must be a new one: {folder / str(version)} exists, and a version that may "
            "be in use is never replaced. Leave `version` out for the next number. Received: "
            f"version={version}"
        )


def check_kind(folder, kind):
    """Raises ValueError if any version in a model's folder is of another of the `KINDS`.

    A server would go on with an older version that it can load, and tell so only in its log.
    """
    for version in reversed(versions(folder)):
        for other, pattern in KINDS.items():
            if other != kind and any((folder / str(version)).glob(pattern)):
                raise ValueError(
                    f"`path` must be a folder without versions of other kinds than {kind}: a "
                    "server that cannot load the newest version goes on with an older one. "
                    f"Received: path={str(folder)!r}, whose version {version} is of kind {other}"
                )


@contextlib.contextmanager
def written_aside(folder):
    """Yields a temporary folder beside the versions; it is deleted at the end unless it was moved.

    The folder is in the same file system, so that it can be moved atomically, and its name is not a
    number, so that servers ignore it. It is left behind only if the process is killed.
    """
    first_new = next((p for p in reversed([folder, *folder.parents]) if not p.exists()), None)
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if first_new is not None:  # delete the folders made for this export if it failed
            place = folder
            while place != first_new.parent and not any(place.iterdir()):
                place.rmdir()
                place = place.parent


def move_into_place(aside, folder, version):
    """Moves `aside` to the folder of `version` (None: the next number) and returns that folder."""
    aside.chmod(0o755)
    while True:
        number = version or max(versions(folder), default=0) + 1
        place = folder / str(number)
        try:
            os.rename(aside, place)  # atomic, and never replaces a folder that is not empty
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            check_version(folder, version)  # another export has written this version
        else:
            return place
