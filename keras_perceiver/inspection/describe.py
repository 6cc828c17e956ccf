"""A model as the papers draw it: its arrays, what shares weights, its cost, and its nearest kin."""

import dataclasses
import html

from keras_perceiver.inspection.data_path import data_path
from keras_perceiver.inspection.drawing import drawing
from keras_perceiver.inspection.html_table import html_table
from keras_perceiver.inspection.nearest_preset import nearest_preset
from keras_perceiver.models.costs import costs
from keras_perceiver.models.perceiver import Perceiver


@dataclasses.dataclass(frozen=True)
class Description:
    """What `describe` tells of a model. It prints as text and shows as HTML in a notebook.

    Args:
        name: Name of the model.
        path: Steps of the data path, `Step`s.
        costs: `Costs` of one example, or None if a size is known only at call time.
        preset: The nearest `Preset`, or None.
        differences: (what, here, there) for each difference from it.
        svg: A drawing.
    """

    name: str
    path: tuple
    costs: object
    preset: object
    differences: tuple
    svg: str

    def __str__(self):
        lines = [f"{self.name}: {self.costs or 'sizes known only at call time, so no costs'}", ""]
        width = max(len(step.name) for step in self.path)
        shapes = max(len(step.shape) for step in self.path)
        lines += [f"  {s.name:{width}}  {s.shape:{shapes}}  {s.what}" for s in self.path]
        if self.costs is not None:
            lines += ["", f"  {'part':26}{'parameters':>14}{'GFLOP':>10}{'kept in training':>18}"]
            lines += [f"  {a:26}{b:>14}{c:>10}{d:>18}" for a, b, c, d in self._rows()]
        return "\n".join([*lines, "", *self._kin()])

    __repr__ = __str__

    def _rows(self):
        for part, flops in self.costs.flops_by_part.items():
            kept = self.costs.activation_bytes_by_part[part] / 2**20
            parameters = self.costs.parameters_by_part[part]
            yield part.replace("_", " "), f"{parameters:,}", f"{flops / 1e9:.3g}", f"{kept:.3g} MiB"

    def _kin(self):
        if self.preset is None:
            return ["None of the papers' models reads such inputs for such outputs."]
        source = f"{self.preset.name} ({self.preset.source.rstrip('.')})"
        if not self.differences:
            return [f"This is {source}."]
        lines = [f"Nearest of the papers' models: {source}. Different are:"]
        return lines + [f"  {what}: {here!r} here, {there!r} there" for what, here, there in
                        self.differences]  # fmt: skip

    def _repr_html_(self):
        parts = [f"<p><b>{html.escape(self.name)}</b>: {html.escape(str(self.costs or ''))}</p>"]
        parts.append(self.svg)
        parts.append(html_table(("", "array", ""), self.path))
        if self.costs is not None:
            head = ("part", "parameters", "GFLOP", "kept in training")
            parts.append(html_table(head, self._rows()))
        kin = self._kin()
        parts.append(f"<p>{html.escape(kin[0])}</p>")
        if self.differences:
            rows = [(a, repr(b), repr(c)) for a, b, c in self.differences]
            parts.append(html_table(("", "here", "there"), rows))
        return "".join(parts)


def describe(model):
    """Describes a model: its arrays, shared weights, cost by part, and which paper's model it is.

    The arrays have the papers' letters: M inputs of C channels, N latents of D channels, O queries
    of E channels. Costs are those of `kp.costs` for one example; "kept in training" are activations
    that the backward pass uses, if attention is plain.

    Args:
        model: A `Perceiver`, such as builders return.

    Returns:
        A `Description`: print it, or leave it at the end of a notebook cell.

    Raises:
        ValueError: if `model` is not a Perceiver.

    Example:

    >>> print(kp.describe(kp.build_classifier((28, 28, 1), num_classes=10)))

    Reference: Perceiver (arXiv 2103.03206), figure 1; Perceiver IO (arXiv 2107.14795), figure 2.
    """
    if not isinstance(model, Perceiver):
        raise ValueError(
            f"`model` must be a keras_perceiver Perceiver. Received: {type(model).__name__}"
        )
    try:
        found = costs(model)
    except ValueError:  # a size is known only at call time
        found = None
    path = data_path(model)
    preset, differences = nearest_preset(model)
    return Description(
        model.name, tuple(path), found, preset, tuple(differences), drawing(model, path)
    )
