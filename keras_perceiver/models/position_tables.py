"""Learned positions for another number of places."""

import numpy as np
from keras import ops


def resized(table, old, new):
    """A table of learned positions for a grid of another size.

    Positions in time or text are cut if there are fewer, and interpolated linearly if there are
    more; those of images are interpolated (bicubic).

    Args:
        table: Array `(prod(old), width)`.
        old, new: Sizes of the grids, of one or two axes.

    Returns:
        Array `(prod(new), width)`.

    Raises:
        ValueError: if the grids have another number of axes.

    Example:

    >>> resized(np.zeros((2048, 768)), (2048,), (512,)).shape
    (512, 768)
    """
    old, new = tuple(old), tuple(new)
    if len(old) != len(new) or len(old) > 2:
        raise ValueError(f"positions of a grid {old} cannot be made to fit a grid {new}")
    if len(old) == 1 and new[0] <= old[0]:
        return table[: new[0]]
    if len(old) == 1:
        places = np.linspace(0, old[0] - 1, new[0])
        before = np.floor(places).astype(int)
        after = np.minimum(before + 1, old[0] - 1)
        share = (places - before)[:, None].astype(table.dtype)
        return table[before] * (1 - share) + table[after] * share
    grid = ops.image.resize(
        ops.reshape(ops.convert_to_tensor(table), (1, *old, -1)),
        new,
        interpolation="bicubic",
        data_format="channels_last",
    )
    return ops.convert_to_numpy(grid).reshape(int(np.prod(new)), -1)


def tables_of(model):
    """{path of a table of learned positions or queries: sizes of its grid} in a `Perceiver`."""
    found = {}
    for reader in model.input_descriptions.values():
        table = getattr(getattr(reader, "encoding", None), "table", None)
        if table is not None:
            grid = tuple(reader.grid or ())
            rows = int(table.shape[0])
            found[table.path] = grid if np.prod(grid) == rows and len(grid) == 2 else (rows,)
    for output in model.output_descriptions.values():
        table = getattr(getattr(output, "query_layer", None), "table", None)
        if table is not None and table.shape[0] > 1:
            found[table.path] = (int(table.shape[0]),)
    return found
