"""Draws one input of one example with the share of attention that each part of it gets."""

import numpy as np

from keras_perceiver.extras import require
from keras_perceiver.inputs.byte_vocabulary import NUM_SPECIAL
from keras_perceiver.inputs.frame_pair import FramePair
from keras_perceiver.inputs.points import Points
from keras_perceiver.inputs.table import Table
from keras_perceiver.inputs.text import Text
from keras_perceiver.inputs.video import Video

COLOURS = "OrRd"
HEIGHT = 3.6
MOST_FRAMES = 4
BYTES_IN_A_LINE = 32
MOST_COLUMNS = 16  # whose names are legible beside each other
LONGEST_NAME = 24


def panel_height(described, raw):
    """Inches that a panel needs: less for a few lines of bytes than for anything else."""
    if not isinstance(described, Text):
        return HEIGHT
    return min(HEIGHT, 0.9 + 0.25 * _lines_of(raw))


def draw_panel(figure, described, raw, share, mask=None):
    """Draws an input and its map into a figure or subfigure, by the kind of the input.

    Pixels get a heat map below them, a few frames of a video too; a waveform has coloured bands
    behind it; bytes and points are coloured; anything else becomes bars. Columns of a table with
    `column_names` have their names; of more than 16 columns, the 16 with the largest shares are
    drawn, and the label tells what the others have.

    Args:
        figure: A matplotlib `Figure` or `SubFigure`.
        described: The bound input description.
        raw: The main raw tensor of one example, as NumPy array.
        share: Its map, in the shape of the input's grid.
        mask: Booleans of the inputs, False for those that are absent; or None.
    """
    most = max(float(share.max()), 1e-12)
    if isinstance(described, Text):
        drawn = _bytes(figure, raw, share, most)
    elif isinstance(described, Points):
        drawn = _points(figure, raw, share, most, mask)
    elif share.ndim == 2:
        picture = raw[0] if isinstance(described, FramePair) else raw
        drawn = _pictures(figure, [picture], [share], most)
    elif share.ndim == 3:
        chosen = np.linspace(0, len(share) - 1, min(MOST_FRAMES, len(share))).round().astype(int)
        frames = (chosen + 0.5) * len(raw) / len(share)
        of_video = isinstance(described, Video) or raw.ndim == 4
        pictures = [raw[int(n)] if of_video else raw[int(n)][..., None] for n in frames]
        drawn = _pictures(figure, pictures, share[chosen], most)
    elif described.grid is not None and share.ndim == 1:
        drawn = _wave(figure, raw, share, most)
    elif isinstance(described, Table) and described.column_names:
        _columns(figure, described.column_names, share)
        return
    else:
        _bars(figure, share.reshape(-1))
        return
    bar = figure.colorbar(drawn, ax=figure.axes, fraction=0.04, pad=0.02, aspect=25)
    bar.set_label("share of attention")
    bar.formatter = require("matplotlib.ticker", "visualization").FuncFormatter(
        lambda part, _: f"{100 * part:.3g} %"
    )
    bar.outline.set_visible(False)


def _pictures(figure, pictures, shares, most):
    panels = figure.subplots(2, len(pictures), squeeze=False)
    for (above, below), picture, share in zip(panels.T, pictures, shares):
        extent = (-0.5, picture.shape[1] - 0.5, picture.shape[0] - 0.5, -0.5)
        above.imshow(*_shown(picture), cmap="gray")
        drawn = below.imshow(share, cmap=COLOURS, vmin=0, vmax=most, extent=extent)
        for axes in (above, below):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_color("#b0b0b0")
    return drawn


def _shown(picture):
    """A picture in a range that matplotlib draws: its first channel, or three of them."""
    if picture.shape[-1] not in (1, 3):
        picture = picture[..., :1]
    low, high = np.nanmin(picture), np.nanmax(picture)
    picture = (picture - low) / max(high - low, 1e-12)
    return (picture[..., 0] if picture.shape[-1] == 1 else picture,)


def _wave(figure, raw, share, most):
    axes = figure.subplots()
    raw = raw.reshape(len(raw), -1)
    low, high = float(np.nanmin(raw)), float(np.nanmax(raw))
    room = 0.05 * (high - low) or 1.0
    extent = (-0.5, len(raw) - 0.5, low - room, high + room)
    drawn = axes.imshow(
        share[None], cmap=COLOURS, vmin=0, vmax=most, extent=extent, aspect="auto", alpha=0.8
    )
    for channel in raw.T[:3]:
        axes.plot(channel, color="#303030", linewidth=0.7)
    axes.set(xlim=extent[:2], ylim=extent[2:])
    axes.set_xlabel("step")
    return drawn


def _bytes(figure, ids, share, most):
    axes = figure.subplots()
    present, rows = max(1, int(np.count_nonzero(ids))), _lines_of(ids)
    cells = np.full(rows * BYTES_IN_A_LINE, np.nan)
    cells[:present] = share[:present]
    drawn = axes.imshow(cells.reshape(rows, -1), cmap=COLOURS, vmin=0, vmax=most, aspect=1.8)
    for place, number in enumerate(ids[:present]):
        row, column = divmod(place, BYTES_IN_A_LINE)
        dark = cells[place] > 0.6 * most
        axes.text(
            column, row, _letter(int(number)), ha="center", va="center", family="monospace",
            fontsize=10, color="white" if dark else "#202020",
        )  # fmt: skip
    axes.set_axis_off()
    return drawn


def _lines_of(ids):
    return -(-max(1, int(np.count_nonzero(ids))) // BYTES_IN_A_LINE)


def _letter(number):
    """The character of a byte, "·" for a byte of a longer character, "_" for special numbers."""
    if number < NUM_SPECIAL:
        return "_"
    number -= NUM_SPECIAL
    letter = chr(number) if 32 <= number < 127 else "·"
    return {"$": r"\$"}.get(letter, letter)


def _points(figure, points, share, most, mask):
    if mask is not None:
        points, share = points[mask], share[mask]
    flat = points.shape[1] < 3
    axes = figure.add_subplot(projection=None if flat else "3d")
    coordinates = points[:, : 2 if flat else 3].T
    if len(coordinates) == 1:
        coordinates = (coordinates[0], np.zeros_like(coordinates[0]))
    # Dark edges, since points without attention would vanish on white.
    drawn = axes.scatter(
        *coordinates, c=share, cmap=COLOURS, vmin=0, vmax=most, s=14,
        edgecolors="#808080", linewidths=0.2,
    )  # fmt: skip
    axes.set_aspect("equal")
    return drawn


def _bars(figure, share):
    axes = figure.subplots()
    axes.bar(np.arange(len(share)), 100 * share, color="#d7301f")
    axes.set_ylabel("share of attention in %")
    axes.set_xlabel("number of the input")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)


def _columns(figure, names, share):
    """A bar with a name for each column of a table, in the order of the table."""
    words = "share of attention in %"
    if len(share) > MOST_COLUMNS:
        drawn = np.sort(np.argsort(-share, kind="stable")[:MOST_COLUMNS])
        rest = share.sum() - share[drawn].sum()
        words += f"\n{len(share) - len(drawn)} other columns have {100 * rest:.3g} %"
        names, share = [names[n] for n in drawn], share[drawn]
    axes = figure.subplots()
    axes.barh(range(len(share)), 100 * share, color="#d7301f")
    axes.set_yticks(range(len(share)), [*map(_short, names)], fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel(words)
    axes.spines[["top", "right"]].set_visible(False)


def _short(name):
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
