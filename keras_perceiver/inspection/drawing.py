"""A drawing of a model as SVG, without any library."""

import html

from keras_perceiver.inspection.data_path import joined

_WIDTH, _HEIGHT = 880, 224


def drawing(model, path):
    """SVG of inputs, latents and outputs as the papers draw them; lines take the text's colour.

    Args:
        model: A `Perceiver`.
        path: Its `data_path`.
    """
    sizes, inputs, outputs = model.sizes, model.input_descriptions, model.output_descriptions
    latents = f"N x D = {sizes.num_latents:,} x {sizes.latent_dim:,}"
    blocks = sizes.num_self_attends_per_block * sizes.num_blocks
    times = f", {sizes.num_cross_attends} times" if sizes.num_cross_attends > 1 else ""
    queries = [step for step in path if step.name.startswith("queries")]
    asked = queries[0].shape if len(queries) == 1 else f"{len(queries)} kinds of queries"
    parts = [
        _box(10, 20, 190, 90, ", ".join(inputs), f"M x C = {joined(inputs, sizes)}", "#4c9be8"),
        _box(10, 140, 190, 50, "latent array", latents, "#e8934c"),
        _box(285, 140, 130, 50, "cross-attention", "N x M scores", "#b8b8b8"),
        _box(475, 140, 150, 50, f"{blocks} self-attention", "N x N scores", "#b8b8b8"),
        _box(690, 20, 180, 90, ", ".join(outputs), _answers(path), "#5fb56a"),
        _arrow("M 200 65 H 350 V 138", "keys and values", 280, 58),
        _arrow("M 200 165 H 283", "queries", 242, 158),
        _arrow("M 415 165 H 473"),
    ]
    if times:  # back to the next cross-attend
        parts.append(
            _arrow("M 550 190 C 550 206, 350 206, 350 192", f"cross-attend{times}", 450, 216)
        )
    if queries:
        parts.append(_box(475, 20, 150, 60, "output queries", asked, "#c77fd1"))
        parts.append(_arrow("M 625 50 H 688"))
        parts.append(_arrow("M 625 165 H 780 V 112", "keys and values", 705, 180))
    else:
        parts.append(_arrow("M 625 165 H 780 V 112", "mean", 705, 180))
    tip = (
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="currentColor"/></marker></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'style="max-width:{_WIDTH}px;width:100%" role="img" aria-label="data path of the model">'
        f"{tip}{''.join(parts)}</svg>"
    )


def _answers(path):
    shapes = [step.shape for step in path if step.name.startswith("output ")]
    return shapes[0] if len(shapes) == 1 else f"{len(shapes)} outputs"


def _box(x, y, width, height, title, shape, colour):
    longest = max(4, int(width / 7))
    title = title if len(title) <= longest else title[: longest - 1] + "…"
    middle = x + width / 2
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{colour}" '
        f'fill-opacity="0.25" stroke="{colour}"/>'
        + _text(middle, y + height / 2 - 4, title, 13)
        + _text(middle, y + height / 2 + 14, shape, 11)
    )


def _text(x, y, words, size):
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-family="sans-serif" fill="currentColor" '
        f'text-anchor="middle">{html.escape(words)}</text>'
    )


def _arrow(path, words="", x=0, y=0):
    line = f'<path d="{path}" fill="none" stroke="currentColor" marker-end="url(#tip)"/>'
    return line + (_text(x, y, words, 11) if words else "")
