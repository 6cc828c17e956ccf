"""Draws the Fourier features of an axis."""

import numpy as np

from keras_perceiver import arguments
from keras_perceiver.layers.fourier_encoding import require_encoding
from keras_perceiver.visualization.new_figure import new_figure

MOST_LINES = 6


def plot_positions(encoding, axis: int = 0, size: int | None = None):
    """Draws the sines of some bands along an axis, and how alike the features of two positions are.

    The picture on the right tells what attention can use: the products of the features of each
    position with those of each other one. They are large near the diagonal, so that positions close
    to each other are alike.

    Args:
        encoding: A built `FourierEncoding`, such as `model.input_descriptions["image"].encoding`.
        axis: Which axis.
        size: Number of positions along it. Default: the layer's resolution, at most 256.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if an argument is wrong, or the layer is not built.

    Example:

    >>> encoding = kp.FourierEncoding(64)
    >>> encoding.build((None, 224, 224, 3))
    >>> kp.visualization.plot_positions(encoding).savefig("positions.png")

    Reference: Perceiver (arXiv 2103.03206), section 3.2 and appendix D.
    """
    require_encoding("encoding", encoding)
    words = encoding.explain()
    arguments.whole_number("axis", axis, at_least=0)
    if axis >= len(encoding.resolution):
        raise ValueError(
            f"`axis` must be below {len(encoding.resolution)}, the axes. Received: axis={axis}"
        )
    arguments.optional_whole_number("size", size)
    count = size or min(256, int(encoding.resolution[axis]))
    positions = np.linspace(-1, 1, count)
    waves = encoding.frequencies(axis)
    angles = np.pi * positions[:, None] * waves
    features = np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)
    figure = new_figure(10, 4.6)
    lines, alike = figure.subplots(1, 2, width_ratios=(3, 2))
    fine = np.linspace(-1, 1, 1000)
    chosen = np.linspace(0, len(waves) - 1, min(MOST_LINES, len(waves))).round().astype(int)
    for row, band in enumerate(chosen):
        lines.plot(fine, 0.4 * np.sin(np.pi * waves[band] * fine) - row, linewidth=0.8)
        dots = 0.4 * np.sin(angles[:, band]) - row
        lines.plot(positions, dots, ".", color="#404040", markersize=2)
    lines.set_yticks(-np.arange(len(chosen)), [f"{waves[band]:.4g} waves" for band in chosen])
    lines.set_xlabel(f"position on axis {axis}; dots are {count} samples")
    drawn = alike.imshow(
        features @ features.T / len(waves), cmap="RdBu_r", vmin=-1, vmax=1, extent=(-1, 1, 1, -1)
    )
    alike.set_title("products of the features of two positions", fontsize=10)
    figure.colorbar(drawn, ax=alike, fraction=0.045)
    figure.suptitle(words.splitlines()[axis], fontsize=10)
    return figure
