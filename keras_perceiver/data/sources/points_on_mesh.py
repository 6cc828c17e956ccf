"""Samples points on a surface."""

import numpy as np


def points_on_mesh(vertices, triangles, num_points, random):
    """Samples points of a mesh uniformly by area.

    Args:
        vertices: Floats `(num_vertices, 3)`.
        triangles: The three vertices of each triangle, integers `(num_triangles, 3)`.
        num_points: Number of points.
        random: `numpy.random.Generator`.

    Returns:
        float64 array `(num_points, 3)`.

    Raises:
        ValueError: if the mesh has no area.

    Example:

    >>> points_on_mesh(vertices, triangles, 2048, np.random.default_rng(0))
    """
    first, second, third = np.moveaxis(np.asarray(vertices, "float64")[triangles], 1, 0)
    areas = np.linalg.norm(np.cross(second - first, third - first), axis=-1)
    total = areas.sum()
    if not total > 0:
        raise ValueError(
            f"`triangles` must have an area. Received: {len(triangles)} triangles of area {total}"
        )
    chosen = random.choice(len(areas), num_points, p=areas / total)
    a, b = random.random((2, num_points, 1))
    beyond = a + b > 1  # the other half of the parallelogram, folded back
    a, b = np.where(beyond, 1 - a, a), np.where(beyond, 1 - b, b)
    first = first[chosen]
    return first + a * (second[chosen] - first) + b * (third[chosen] - first)
