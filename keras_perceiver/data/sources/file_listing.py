"""The files of a directory, as users have them."""

import os
from pathlib import Path


def file_listing(directory, suffixes):
    """Lists the files of a kind below a directory, however deep, in the order of their paths.

    Files and directories whose names start with a dot or with `__MACOSX` are left out: they are
    what operating systems and archives leave behind.

    Args:
        directory: A path.
        suffixes: Endings of names in lower case, such as `(".wav", ".flac")`.

    Returns:
        A list of `Path`s.

    Example:

    >>> file_listing("birds", (".wav",))
    """
    found = []
    for parent, folders, names in os.walk(directory, followlinks=True):
        folders[:] = filter(is_users, folders)
        kind = tuple(suffixes)
        found += [Path(parent, n) for n in names if is_users(n) and n.lower().endswith(kind)]
    return sorted(found)


def folders_in(directory):
    """The directories directly in a directory, in the order of their names, without such ones."""
    return sorted(path for path in directory.iterdir() if path.is_dir() and is_users(path.name))


def is_users(name):
    """Whether a name is not one that operating systems and archives leave behind."""
    return not name.startswith((".", "__MACOSX"))
