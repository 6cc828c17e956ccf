"""Selects rows of an array by index; an index out of range never silently selects another row."""

from keras import ops

from keras_perceiver.layers.concrete import concrete


def take_rows(table, indices, name="indices"):
    """Rows of a table.

    Args:
        table: Floats `(n, dim)`.
        indices: Whole numbers of any shape.
        name: Name of the indices in error messages.

    Returns:
        Floats `(*indices.shape, dim)`. In a graph, an index outside [0, n) gives a row of NaN.

    Raises:
        ValueError: if the value of an index is known and outside [0, n).
    """
    size = ops.shape(table)[0]
    check_indices(indices, size, name)
    rows = ops.take(table, ops.clip(indices, 0, size - 1), axis=0)
    return nan_outside(rows, indices, size)


def take_along(array, indices, name="indices"):
    """Rows of each example: floats `(batch, n, dim)` by indices `(batch, k)`; see `take_rows`."""
    size = ops.shape(array)[1]
    check_indices(indices, size, name)
    rows = ops.take_along_axis(array, ops.clip(indices, 0, size - 1)[..., None], axis=1)
    return nan_outside(rows, indices, size)


def nan_outside(rows, indices, size):
    """Replaces rows `(*indices.shape, dim)` by NaN if their index is outside [0, size)."""
    inside = ops.logical_and(indices >= 0, indices < size)[..., None]
    return ops.where(inside, rows, ops.cast(float("nan"), rows.dtype))


def check_indices(indices, size, name):
    """Raises ValueError if an index is outside [0, size) and both are known."""
    values = concrete(indices)
    if values is None or not isinstance(size, int) or not values.size:
        return
    if values.min() < 0 or values.max() >= size:
        raise ValueError(
            f"`{name}` must be whole numbers from 0 to {size - 1}. Received: {name} from "
            f"{values.min()} to {values.max()}"
        )
