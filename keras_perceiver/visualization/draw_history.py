"""Draws the learning curves of `fit`."""

from keras_perceiver import arguments
from keras_perceiver.visualization.new_figure import new_figure

_TRAIN, _VALIDATION = "#8c8c8c", "#0b5fa5"


def draw_history(history, title: str | None = None):
    """Draws the loss and the accuracies of each epoch.

    Args:
        history: The `History` that `model.fit` returned, or its `history` dict.
        title: Title of the figure.

    Returns:
        A matplotlib `Figure` with one panel for the loss and one for each accuracy; write it with
        `figure.savefig("curve.png")`.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if there is no loss in `history`.

    Example:

    >>> history = model.fit(train, validation_data=test, epochs=5)
    >>> kp.visualization.draw_history(history).savefig("curve.png")
    """
    arguments.optional_text("title", title)
    curves = getattr(history, "history", history)
    if not isinstance(curves, dict) or not curves.get("loss"):
        raise ValueError(
            "`history` must be what model.fit returned, after at least one epoch. Received: "
            f"history={history!r}"
        )
    names = ["loss"]
    names += [n for n in curves if n.endswith("accuracy") and not n.startswith("val_")]
    figure = new_figure(4.8 * len(names), 3.6)
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
        _draw_curve(axes, name, curves[name], curves.get(f"val_{name}"))
    if title:
        figure.suptitle(title)
    return figure


def _draw_curve(axes, name, train, validation):
    epochs = range(1, len(train) + 1)
    marker = "o" if len(train) < 3 else None  # a line with a single point is invisible
    axes.plot(epochs, train, color=_TRAIN, marker=marker, label="training")
    if validation:
        axes.plot(epochs, validation, color=_VALIDATION, marker=marker, label="validation")
    last = (validation or train)[-1]
    axes.set_title(f"{name.replace('_', ' ')}: {last:.3f} after {len(train)} epochs", fontsize=11)
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(bottom=0)
    if name.endswith("accuracy"):
        axes.set_ylim(0, 1.02)
    axes.grid(color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
