"""Draws what a model attends to in one example, by the kind of its inputs."""

from keras import ops

from keras_perceiver import arguments
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.visualization.attention_maps import (
    attention_maps,
    chosen_output,
    tensors_by_name,
)
from keras_perceiver.visualization.attention_panels import draw_panel
from keras_perceiver.visualization.new_figure import new_figure

CAUTION = "Where the model attends, which is no proof of what its answer depends on."
PANELS_IN_A_LINE = 3


def plot_attention(
    model,
    inputs,
    example: int = 0,
    *,
    output=None,
    query: int = 0,
    latent: int | None = None,
    title: str | None = None,
):
    """Draws the attention of one query, or of one latent, to the inputs of one example.

    Without `latent`, the roll-out from a query to the inputs, one panel for each input, and the
    share of each input if there are several. With `latent`, what this latent reads in each
    cross-attend, one row for each. Pixels and frames get heat maps below them, waveforms coloured
    bands behind them; bytes and points are coloured; columns of tables and entities become bars.

    Args:
        model: A `Perceiver`, such as builders return.
        inputs: A batch of model inputs: an array, or a dict of arrays by name.
        example: Which example of the batch.
        output: Name of the output, if there are several.
        query: Which query of the output, in row-major order.
        latent: Which latent.
        title: Title of the figure.

    Returns:
        A matplotlib `Figure`; write it with `figure.savefig("attention.png")`.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if an argument is wrong; see `attention_maps`.

    Example:

    >>> kp.visualization.plot_attention(model, {"video": films, "audio": sounds}, example=3)

    Reference: Perceiver (arXiv 2103.03206), figure 3 and appendix E.
    """
    arguments.optional_text("title", title)
    arguments.whole_number("example", example, at_least=0)
    arguments.whole_number("query", query, at_least=0)
    if latent is not None:
        arguments.whole_number("latent", latent, at_least=0)
    if not isinstance(model, Perceiver):
        raise ValueError(
            f"`model` must be a keras_perceiver Perceiver. Received: {type(model).__name__}"
        )
    values = _example(model, inputs, example)
    if latent is None:
        rows = {"": _rollout(model, values, output, query)}
    else:
        maps = attention_maps(model, values, "encoder", latents=[latent])
        rows = {
            f"latent {latent}, cross-attend {number + 1}": {
                name: one[:, number] for name, one in maps.items()
            }
            for number in range(model.sizes.num_cross_attends)
        }
    return _drawn(model, values, rows, title)


def _example(model, inputs, example):
    """The model's inputs by name, of one example, as NumPy arrays `(1, ...)`."""
    given = tensors_by_name(model, inputs)
    given = {name: ops.convert_to_numpy(array) for name, array in given.items()}
    count = len(next(iter(given.values())))
    if example >= count:
        raise ValueError(f"`example` must be below {count}, the examples. Received: {example}")
    return {name: array[example : example + 1] for name, array in given.items()}


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


def _drawn(model, values, rows, title):
    """A figure with a row of panels for each map: one for each input, and one for their shares."""
    described = model.input_descriptions
    count = len(described) + (len(described) > 1)
    # One map goes into several lines of panels; several maps have a line each.
    columns = min(count, PANELS_IN_A_LINE) if len(rows) == 1 else count
    lines = -(-count // columns) if len(rows) == 1 else len(rows)
    figure = new_figure(4.8 * columns, 3.6 * lines + 0.6)
    panels = figure.subfigures(lines, columns, squeeze=False)
    panels = panels.reshape(1, -1) if len(rows) == 1 else panels
    for line, (heading, maps) in zip(panels, rows.items()):
        for panel, (name, one) in zip(line, described.items()):
            mask = values.get(f"{name}_mask")
            share = maps[name].reshape(maps[name].shape[2:])
            panel.suptitle(", ".join(filter(None, (name, heading))), fontsize=10)
            draw_panel(
                panel, one, values[one.modality][0], share, None if mask is None else mask[0]
            )
        if len(described) > 1:
            _shares(line[count - 1], {name: float(maps[name].sum()) for name in described})
    figure.suptitle(f"{title}\n{CAUTION}" if title else CAUTION, fontsize=11, wrap=True)
    return figure


def _shares(figure, shares):
    axes = figure.subplots()
    axes.barh(list(shares), [100 * share for share in shares.values()], color="#d7301f")
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of attention in %")
    axes.spines[["top", "right"]].set_visible(False)
