"""Meshes of curved surfaces."""

import numpy as np

SURFACES = (
    "cone",
    "cube",
    "cylinder",
    "helicoid",
    "klein_bottle",
    "moebius_strip",
    "paraboloid",
    "saddle",
    "sphere",
    "torus",
)
_CELLS = 48  # of a patch, along each side


def parametric_surface(name, random):
    """Draws a surface of a kind, of random proportions, and covers it with triangles.

    Cones and cylinders are open at their ends. The Klein bottle is the figure-8 immersion.

    Args:
        name: One of `SURFACES`.
        random: `numpy.random.Generator`.

    Returns:
        Vertices, float64 `(num_vertices, 3)`, upright along the last axis, and the vertices of each
        triangle, int64 `(num_triangles, 3)`.

    Example:

    >>> vertices, triangles = parametric_surface("torus", np.random.default_rng(0))
    """
    u, v = np.meshgrid(*[np.linspace(0, 1, _CELLS + 1)] * 2, indexing="ij")
    around, across = 2 * np.pi * u, 2 * v - 1
    slim, steep, wide = random.uniform(1, 3), random.uniform(0.5, 1.2), random.uniform(0.25, 0.5)
    cos, sin, centred = np.cos(around), np.sin(around), 2 * u - 1
    if name == "sphere":
        polar = np.pi * v
        patches = [(np.sin(polar) * cos, np.sin(polar) * sin, np.cos(polar))]
    elif name == "torus":
        tube = 1 + wide * np.cos(2 * np.pi * v)
        patches = [(tube * cos, tube * sin, wide * np.sin(2 * np.pi * v))]
    elif name == "cylinder":
        patches = [(cos, sin, slim * v)]
    elif name == "cone":
        patches = [(v * cos, v * sin, -slim * v)]
    elif name == "moebius_strip":
        half = 1 + wide * across * np.cos(around / 2)
        patches = [(half * cos, half * sin, wide * across * np.sin(around / 2))]
    elif name == "helicoid":
        turn = np.pi * slim * u
        patches = [(across * np.cos(turn), across * np.sin(turn), turn / 2)]
    elif name == "saddle":
        patches = [(centred, across, steep * (centred**2 - across**2))]
    elif name == "paraboloid":
        patches = [(v * cos, v * sin, steep * v**2)]
    elif name == "cube":
        face = np.stack([centred, across, np.ones_like(u)])
        patches = [np.roll(sign * face, axis, 0) for sign in (-1, 1) for axis in range(3)]
    else:  # klein_bottle
        turn = 2 * np.pi * v
        bend = np.cos(around / 2) * np.sin(turn) - np.sin(around / 2) * np.sin(2 * turn)
        height = np.sin(around / 2) * np.sin(turn) + np.cos(around / 2) * np.sin(2 * turn)
        patches = [((1.5 + slim / 2 + bend) * cos, (1.5 + slim / 2 + bend) * sin, height)]
    vertices = np.concatenate([np.stack(p, -1).reshape(-1, 3) for p in map(np.asarray, patches)])
    offsets = np.arange(len(patches))[:, None, None] * u.size
    return vertices, (offsets + _grid_triangles()).reshape(-1, 3)


def _grid_triangles():
    """Two triangles for each cell of a patch."""
    corners = np.arange((_CELLS + 1) ** 2).reshape(_CELLS + 1, _CELLS + 1)
    a, b, c, d = corners[:-1, :-1], corners[1:, :-1], corners[1:, 1:], corners[:-1, 1:]
    halves = [np.stack(half, -1).reshape(-1, 3) for half in ((a, b, c), (a, c, d))]
    return np.concatenate(halves)
