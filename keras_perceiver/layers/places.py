"""Places in the unit cube, and codes that tell them apart."""

from typing import NamedTuple

import numpy as np


class Places(NamedTuple):
    """Some vectors that stand for places: inputs with positions, or output queries.

    Args:
        vectors: Floats `(count, width)`, as a model computes them, with random content.
        coordinates: Floats `(count, num_axes)` in [0, 1].
        extents: For each axis, how many places there are along it.
    """

    vectors: np.ndarray
    coordinates: np.ndarray
    extents: tuple

    @classmethod
    def of_cells(cls, vectors, indices, grid):
        """Of the cells of a grid, counted row by row."""
        cells = np.stack(np.unravel_index(indices, grid), axis=1)
        return cls(vectors, (cells + 0.5) / np.array(grid), tuple(grid))


def spread(count, num_axes):
    """`count` points spread evenly over the unit cube, `(count, num_axes)`.

    Along one axis they are the middles of equal parts. In more, they are the additive recurrence
    of the generalised golden ratio, whose every first points cover the cube evenly.
    """
    if num_axes == 1:
        return ((np.arange(count) + 0.5) / count)[:, None]
    ratio = 2.0
    for _ in range(64):  # the root of ratio^(num_axes + 1) = ratio + 1
        ratio = (1 + ratio) ** (1 / (num_axes + 1))
    steps = ratio ** -np.arange(1.0, num_axes + 1)
    return (0.5 + np.arange(1, count + 1)[:, None] * steps) % 1


def spacing(count, extents):
    """Side of the box that each of `count` places has to itself, in cells of each axis.

    Boxes are cubes, except along axes that are shorter than the cube's side.
    """
    extents = np.array(extents, float)
    short = np.zeros(len(extents), bool)
    while True:
        side = (np.prod(extents[~short]) / count) ** (1 / max(1, np.sum(~short)))
        newly = ~short & (extents < side)
        if not newly.any():
            return np.where(short, extents, side)
        short |= newly


def sinusoids(coordinates, width, finest):
    """Sines and cosines of places, of mean square 1, `(count, width)`.

    Args:
        coordinates: `(count, num_axes)` in [0, 1]. Axes share the width.
        width: Number of columns.
        finest: For each axis, how many places the highest frequency tells apart.
    """
    num_axes, columns = coordinates.shape[1], []
    for axis in range(num_axes):
        mine = width // num_axes + (axis < width % num_axes)
        number = max(1, -(-mine // 2))
        # Not further apart than 1, or places a few waves away would look alike.
        waves = np.linspace(0.5, max(1.0, min(finest[axis] / 2, number)), number)
        angles = 2 * np.pi * coordinates[:, axis : axis + 1] * waves
        columns.append(np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :mine])
    return (np.sqrt(2) * np.concatenate(columns, axis=1)).astype("float32")


def sample(random, length, count):
    """`count` of `length` indices as evenly as can be, int32, or all of them several times."""
    times = -(-count // length)
    return random.permutation(np.tile(np.arange(length), times))[:count].astype("int32")
