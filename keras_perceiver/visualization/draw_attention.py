"""Draws images with their attention maps below them."""

import math

import numpy as np

from keras_perceiver import arguments
from keras_perceiver.extras import require
from keras_perceiver.visualization.new_figure import new_figure

_RIGHT, _WRONG = "#222222", "#c01818"


def draw_attention(
    images,
    maps,
    true_classes=None,
    predictions=None,
    class_names=None,
    columns: int = 8,
    title: str | None = None,
):
    """Draws images in rows, and below each image its attention map.

    All maps share one colour scale, from zero to the largest attention weight of any pixel, so that
    colours can be compared between images. For images with one channel, the outline of the ink is
    drawn on the map.

    Args:
        images: Array `(num_images, height, width, channels)` with 1 or 3 channels, or
            `(num_images, height, width)`. One channel is drawn as dark ink on a light background.
        maps: Array `(num_images, height, width)`, or `(num_images, height * width)` as
            `attention_maps` gives for one query. The former may have a coarser grid than the
            images.
        true_classes: Optional whole numbers `(num_images,)`, for the headings.
        predictions: Optional whole numbers `(num_images,)`; wrong predictions are shown in red.
        class_names: Optional names of the classes. Default: their numbers.
        columns: Images in a row.
        title: Title of the figure.

    Returns:
        A matplotlib `Figure`; write it with `figure.savefig("attention.png")`.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if shapes or lengths do not fit.

    Example:

    >>> maps = kp.visualization.attention_maps(model, images)[:, 0]
    >>> figure = kp.visualization.draw_attention(images, maps, true_classes=labels)
    """
    arguments.optional_text("title", title)
    images, maps = _fitting(arguments.floats("images", images), arguments.floats("maps", maps))
    columns = min(arguments.whole_number("columns", columns), len(images))
    headings = _headings(len(images), true_classes, predictions, class_names)
    rows = math.ceil(len(images) / columns)
    figure = new_figure(1.35 * columns + 0.9, 3.1 * rows + 0.9)
    panels = figure.subplots(2 * rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for i, (image, attention) in enumerate(zip(images, maps)):
        above, below = panels[2 * (i // columns) : 2 * (i // columns) + 2, i % columns]
        height, width = image.shape[:2]
        extent = (-0.5, width - 0.5, height - 0.5, -0.5)  # that of the image, also for coarser maps
        above.imshow(image, cmap="gray_r" if image.ndim == 2 else None)
        drawn = below.imshow(attention, cmap="OrRd", vmin=0, vmax=maps.max(), extent=extent)
        if image.ndim == 2:
            below.add_collection(_outline(image))
        text, colour = headings[i]
        above.set_title(text, color=colour, fontsize=10)
        for axes in (above, below):
            axes.set_axis_on()
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_color("#b0b0b0")
    bar = figure.colorbar(drawn, ax=panels, fraction=0.03, pad=0.01, aspect=30)
    bar.set_label("share of attention")
    bar.formatter = require("matplotlib.ticker", "visualization").FuncFormatter(
        lambda share, _: f"{100 * share:g} %"
    )
    bar.outline.set_visible(False)
    if title:
        figure.suptitle(title)
    return figure


def _fitting(images, maps):
    """Images `(n, height, width)` or `(n, height, width, 3)` and maps `(n, height, width)`."""
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 and not (images.ndim == 4 and images.shape[-1] == 3):
        raise ValueError(
            "`images` must have shape (num_images, height, width, channels) with 1 or 3 channels. "
            f"Received: images of shape {images.shape}"
        )
    height, width = images.shape[1:3]
    if maps.ndim == 2 and maps.shape[1] == height * width:
        maps = maps.reshape(-1, height, width)
    if maps.ndim == 3 and height > 1 and (maps.shape[1] == 1 or maps.shape[2] == height * width):
        raise ValueError(
            "`maps` must be the maps of one query. `attention_maps` gives (num_images, "
            "num_queries, num_inputs); maps[:, 0] are those of the first query. Received: maps of "
            f"shape {maps.shape} for images of shape {images.shape}"
        )
    if maps.ndim != 3 or len(maps) != len(images) or not len(maps):
        raise ValueError(
            f"`maps` must have one map for each of the images of shape {images.shape}. Received: "
            f"maps of shape {maps.shape}"
        )
    return images, maps


def _outline(image):
    """Lines around the ink: all pixels above half of the largest value."""
    ink = np.pad(image > image.max() / 2, 1)
    lines = [[(x - 1.5, y - 0.5), (x - 0.5, y - 0.5)] for y, x in np.argwhere(ink[:-1] != ink[1:])]
    lines += [
        [(x - 0.5, y - 1.5), (x - 0.5, y - 0.5)] for y, x in np.argwhere(ink[:, :-1] != ink[:, 1:])
    ]
    collections = require("matplotlib.collections", "visualization")
    return collections.LineCollection(lines, colors="#303030", linewidths=0.9)


def _headings(count, true_classes, predictions, class_names):
    """The heading of each image and its colour."""
    if class_names is not None and not hasattr(class_names, "__len__"):
        raise ValueError(
            f"`class_names` must be a list of names. Received: class_names={class_names!r}"
        )
    for name, classes in (("true_classes", true_classes), ("predictions", predictions)):
        if classes is None:
            continue
        classes = np.asarray(classes)
        if classes.shape != (count,):
            raise ValueError(
                f"`{name}` must have one class for each of {count} images. Received: "
                f"{name} of shape {classes.shape}"
            )
        known = classes.dtype.kind in "iu" and (
            class_names is None or (classes.min() >= 0 and classes.max() < len(class_names))
        )
        if not known:
            most = "" if class_names is None else f" from 0 to {len(class_names) - 1}"
            raise ValueError(
                f"`{name}` must be whole numbers{most}, the numbers of `class_names`. Received: "
                f"{name}={classes}"
            )

    def named(number):
        return str(number) if class_names is None else str(class_names[number])

    headings = []
    for i in range(count):
        lines = [] if true_classes is None else [f"is {named(true_classes[i])}"]
        lines += [] if predictions is None else [f"read as {named(predictions[i])}"]
        wrong = len(lines) == 2 and true_classes[i] != predictions[i]
        headings.append(("\n".join(lines), _WRONG if wrong else _RIGHT))
    return headings
