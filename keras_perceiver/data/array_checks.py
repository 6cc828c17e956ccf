"""Checks of whole arrays before training; errors give the index of the wrong value."""

import numpy as np


def as_array(name, value):
    """Returns `value` as an array whose first axis is examples, or raises ValueError.

    Floating numbers of any kind become float32, which is what models compute with.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(
            f"`{name}` must be an array of equally shaped examples. {error}"
        ) from error
    if array.dtype.kind not in "biufSU" and not (array.dtype.kind == "O" and _all_text(array)):
        raise ValueError(
            f"`{name}` must be an array of numbers, booleans or text. Received: {name} of dtype "
            f"{array.dtype}"
        )
    if array.ndim == 0:
        raise ValueError(
            f"`{name}` must be an array whose first axis counts the examples. Received: "
            f"{name}={value!r}"
        )
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):  # too large for float32: infinite, which `finite` reports
            array = array.astype("float32", copy=False)
    return array


def same_length(arrays):
    """Returns the number of examples, which all named arrays must share, or raises ValueError."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(
            f"Inputs and targets must hold the same number of examples. Received: {listed}"
        )
    (length,) = set(lengths.values())
    if length == 0:
        raise ValueError(
            "Inputs and targets must hold at least one example. Received: "
            + ", ".join(f"{name} of shape {array.shape}" for name, array in arrays.items())
        )
    return length


def labels(name, array, num_classes):
    """Raises ValueError at the first label that is not a whole number in [0, num_classes)."""
    wanted = (
        f"`{name}` must be whole numbers from 0 to {num_classes - 1} (num_classes={num_classes})"
    )
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"{wanted} of an integer dtype. Received: {name} of dtype {array.dtype}, beginning "
            f"with {array.reshape(-1)[:1].tolist()}"
        )
    outside = (array < 0) | (array >= num_classes)
    if outside.any():
        index = _first(outside)
        raise ValueError(f"{wanted}. Received: label {array[index]} at index {_written(index)}")


def _first(where):
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(where)), where.shape))


def _written(index):
    return index[0] if len(index) == 1 else index


def _all_text(array):
    return all(isinstance(value, (str, bytes)) for value in array.flat)
