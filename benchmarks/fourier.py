"""Fourier positions of a square image, for peers whose layers do not compute them."""

import numpy as np


def image_positions(side, num_bands):
    """Positions, sines and cosines, `(side * side, 2 + 4 * num_bands)` in float32."""
    axis = np.linspace(-1, 1, side)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    bands = np.linspace(1, side / 2, num_bands)
    angles = (np.pi * grid[..., None] * bands).reshape(len(grid), -1)
    return np.concatenate([grid, np.sin(angles), np.cos(angles)], -1).astype("float32")
