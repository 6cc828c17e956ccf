"""Prepares a builder in a test, and reads it back."""

import contextlib
import io


def prepare(builder):
    """Prepares without the progress bars, and returns the builder."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare()
    return builder


def examples(builder, split="train"):
    """All examples of a split as dicts of NumPy arrays, sorted by their bytes."""
    found = list(builder.as_dataset(split).as_numpy_iterator())
    return sorted(found, key=lambda example: repr(sorted(example.items())))


def files_below(directory):
    """What is there: relative paths and sizes."""
    return sorted(
        (str(path.relative_to(directory)), path.stat().st_size if path.is_file() else None)
        for path in directory.rglob("*")
    )
