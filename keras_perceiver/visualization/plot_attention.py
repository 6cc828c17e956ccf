"""Draws what a model attends to in one example, by the kind of its inputs."""

from typing import NamedTuple

import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.visualization.attention_maps import (
    attention_maps,
    chosen_output,
    tensors_by_name,
)
from keras_perceiver.visualization.attention_panels import draw_panel, panel_height
from keras_perceiver.visualization.new_figure import new_figure

CAUTION = "Where the model attends, which is no proof of what its answer depends on."
PANELS_IN_A_LINE = 3
EXAMPLES_IN_A_LINE = 2


def plot_attention(
    model,
    inputs,
    example=0,
    *,
    output=None,
    query: int = 0,
    latent: int | None = None,
    title: str | None = None,
    headings=None,
):
    """Draws the attention of one query, or of one latent, to the inputs of one example or several.

    Without `latent`, the roll-out from a query to the inputs, one panel for each input, and the
    share of each input if there are several. With `latent`, what this latent reads in each
    cross-attend, one row for each. Pixels and frames get heat maps below them, waveforms coloured
    bands behind them; bytes and points are coloured; columns of tables, with their names if the
    `Table` has them, and entities become bars.

    Args:
        model: A `Perceiver`, such as builders return.
        inputs: A batch of model inputs: an array, or a dict of arrays by name.
        example: Which example of the batch, a whole number or a list of them. Each has a colour
            scale of its own.
        output: Name of the output, if there are several.
        query: Which query of the output, in row-major order.
        latent: Which latent.
        title: Title of the figure.
        headings: A text for each example, such as what it is and what it was read as.

    Returns:
        A matplotlib `Figure`; write it with `figure.savefig("attention.png")`.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if an argument is wrong; see `attention_maps`.

    Example:

    >>> kp.visualization.plot_attention(model, {"video": films, "audio": sounds}, example=3)
    >>> read = ["is a cat, read as a cat", "is a cat, read as a dog"]
    >>> kp.visualization.plot_attention(model, images, [2, 5], headings=read)

    Reference: Perceiver (arXiv 2103.03206), figure 3 and appendix E.
    """
    arguments.optional_text("title", title)
    arguments.whole_number("query", query, at_least=0)
    if latent is not None:
        arguments.whole_number("latent", latent, at_least=0)
    if not isinstance(model, Perceiver):
        raise ValueError(
            f"`model` must be a keras_perceiver Perceiver. Received: {type(model).__name__}"
        )
    examples = _numbers(example)
    headings = _headings(headings, len(examples))
    given = tensors_by_name(model, inputs)
    given = {name: ops.convert_to_numpy(array) for name, array in given.items()}
    count = len(next(iter(given.values())))
    if max(examples) >= count:
        raise ValueError(f"`example` must be below {count}, the examples. Received: {example}")
    rows = []
    for number, heading in zip(examples, headings):
        values = {name: array[number : number + 1] for name, array in given.items()}
        if latent is None:
            rows.append(_Row(heading, values, _rollout(model, values, output, query)))
            continue
        maps = attention_maps(model, values, "encoder", latents=[latent])
        for number in range(model.sizes.num_cross_attends):
            words = _joined(heading, f"latent {latent}, cross-attend {number + 1}")
            rows.append(_Row(words, values, {name: one[:, number] for name, one in maps.items()}))
    return _drawn(model, rows, title)


class _Row(NamedTuple):
    """One example with one map of each input."""

    heading: str
    values: dict  # the model's inputs by name, NumPy arrays (1, ...)
    maps: dict  # {input: (1, 1, *grid)}


def _numbers(example):
    several = isinstance(example, (list, tuple, np.ndarray))
    if several and not len(example):
        raise ValueError("`example` must have a whole number at least. Received: an empty list")
    several = list(example) if several else [example]
    return [arguments.whole_number("example", one, at_least=0) for one in several]


def _headings(headings, count):
    if headings is None:
        return [""] * count
    texts = isinstance(headings, (list, tuple)) and all(isinstance(one, str) for one in headings)
    if not texts or len(headings) != count:
        raise ValueError(
            f"`headings` must be a list of {count} texts, one for each example. Received: "
            f"headings={headings!r}"
        )
    return headings


def _joined(*words):
    return ", ".join(filter(None, words))


def _rollout(model, values, output, query):
    output = chosen_output(model, output)
    pools = model.output_descriptions[output].pools_latents
    if pools and query:
        raise ValueError(
            f"`query` must be 0 for the output {output!r}, the mean of the latents. Received: "
            f"query={query}"
        )
    described = model.output_descriptions
    queries = {key: [0] for key, one in described.items() if not one.pools_latents}
    if not pools:
        queries[output] = [query]
    return attention_maps(model, values, queries=queries)[output]


def _drawn(model, rows, title):
    """A figure with panels for each map: one for each input, and one for their shares."""
    described = model.input_descriptions
    count = len(described) + (len(described) > 1)
    # One map goes into several lines of panels, maps of one input too; other maps have a line each.
    columns = count
    if len(rows) == 1:
        columns = min(count, PANELS_IN_A_LINE)
    elif count == 1:
        columns = EXAMPLES_IN_A_LINE
    lines = -(-count * len(rows) // columns)
    height = max(
        panel_height(one, row.values[one.modality][0]) for row in rows for one in described.values()
    )
    figure = new_figure(4.8 * columns, height * lines + 0.6)
    panels = iter(figure.subfigures(lines, columns, squeeze=False).flat)
    for heading, values, maps in rows:
        for name, one in described.items():
            panel = next(panels)
            mask = values.get(f"{name}_mask")
            share = maps[name].reshape(maps[name].shape[2:])
            words = heading if heading and count == 1 else _joined(name, heading)
            panel.suptitle(words, fontsize=10)
            draw_panel(
                panel, one, values[one.modality][0], share, None if mask is None else mask[0]
            )
        if len(described) > 1:
            _shares(next(panels), {name: float(maps[name].sum()) for name in described})
    figure.suptitle(f"{title}\n{CAUTION}" if title else CAUTION, fontsize=11, wrap=True)
    return figure


def _shares(figure, shares):
    axes = figure.subplots()
    axes.barh(list(shares), [100 * share for share in shares.values()], color="#d7301f")
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of attention in %")
    axes.spines[["top", "right"]].set_visible(False)
