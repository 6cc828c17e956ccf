"""Figures that notebooks show without matplotlib's pyplot."""

import functools
import io

from keras_perceiver.extras import require


def new_figure(width, height):
    """A matplotlib `Figure` that shows itself at the end of a notebook's cell.

    Args:
        width, height: In inches.
    """
    figure = require("matplotlib.figure", "visualization").Figure(
        figsize=(width, height), layout="constrained"
    )
    figure._repr_png_ = functools.partial(_as_png, figure)  # what IPython looks for
    return figure


def _as_png(figure):
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()
