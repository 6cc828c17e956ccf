"""What this machine has."""

import os
from pathlib import Path

_NO_LIMIT = 2**60  # what a control group without a limit tells, as a number


def free_bytes(root="/"):
    """Bytes of main memory that this process may still take, or None if the system does not tell.

    The smallest of what is free on the machine and of what the limits of a container leave
    (control groups of Linux, both versions).

    Args:
        root: Where the file system starts; for tests.
    """
    root = Path(root)
    found = [_of_machine(root), *_of_groups(root)]
    return min((one for one in found if one is not None), default=None)


def _of_machine(root):
    try:
        return 1024 * int(_table(root / "proc/meminfo")["MemAvailable"])
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None


def _of_groups(root):
    """What is left in the control group of this process and in those around it."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, kinds, path = line.split(":", 2)
        second = number == "0"
        if not second and "memory" not in kinds.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("" if second else "memory")
        names = ("memory.max", "memory.current", "inactive_file")
        if not second:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        path = Path(path.lstrip("/"))
        for group in (path, *path.parents):
            yield _left(top / group, *names)


def _left(folder, limit, used, file_pages):
    try:
        most = int((folder / limit).read_text())  # the word "max" where there is no limit
        now = int((folder / used).read_text())
        # Pages of files that were read are given back when memory is short.
        given_back = int(_table(folder / "memory.stat").get(file_pages, 0))
    except (OSError, ValueError):
        return None
    return None if most >= _NO_LIMIT else max(0, most - now + given_back)


def _table(path):
    """{first word of a line: second word}."""
    lines = (line.replace(":", " ").split() for line in path.read_text().splitlines())
    return {words[0]: words[1] for words in lines if len(words) > 1}
