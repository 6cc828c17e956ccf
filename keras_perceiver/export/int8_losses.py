"""The losses of all outputs of a model in int8."""

import numpy as np

from keras_perceiver import arguments
from keras_perceiver.export.disagreement import Disagreement
from keras_perceiver.export.metric_change import MODES, MetricChange


class Int8Losses:
    """Measures what each output loses, and refuses more than allowed.

    Args:
        model: A `Perceiver`.
        metric: None, a metric or its name, or a dict of them by output.
        mode: "auto", "max" or "min"; see `MetricChange`.
        largest_loss: A number, or a dict of numbers by output.

    Raises:
        ValueError: if an argument does not fit the outputs.
    """

    def __init__(self, model, metric, mode, largest_loss):
        arguments.one_of("mode", mode, tuple(MODES))
        outputs = model.output_descriptions
        if metric is not None and not isinstance(metric, dict) and len(outputs) > 1:
            raise ValueError(
                f"`metric` must be a dict by output for the outputs {sorted(outputs)}. Received: "
                f"metric={metric!r}"
            )
        metrics = _by_output("metric", metric, outputs, None)
        self.allowed = {
            key: arguments.number("largest_loss", value, at_least=0)
            for key, value in _by_output("largest_loss", largest_loss, outputs, 0.01).items()
        }
        self.measures = {
            key: Disagreement(output)
            if metrics[key] is None
            else MetricChange(output, metrics[key], mode)
            for key, output in outputs.items()
        }

    def require_targets(self, targets):
        """Raises ValueError if the targets of a batch lack those of an output with a metric."""
        for key, measure in self.measures.items():
            if isinstance(measure, MetricChange) and self._of(key, targets) is None:
                raise ValueError(
                    f"`validation`, or `calibration` without it, must have targets of output "
                    f"'{key}' for `metric`. Received: none"
                )

    def update(self, wanted, found, targets, weights):
        """Adds a batch of answers, in float32 and in int8, by output."""
        for key, measure in self.measures.items():
            answers = found[key]
            if not np.isfinite(answers).all():
                raise RuntimeError(f"int8 gives NaN or infinity for `{key}`. Nothing was written.")
            measure.update(wanted[key], answers, self._of(key, targets), self._of(key, weights))

    def check(self):
        """Raises RuntimeError if an output loses more than allowed."""
        for key, measure in self.measures.items():
            if not measure.loss <= self.allowed[key]:
                raise RuntimeError(
                    f"int8 loses {measure.loss:.2g} of output '{key}', and "
                    f"largest_loss={self.allowed[key]:.2g} is allowed: {self._line(key)}. Nothing "
                    "was written. More examples in `calibration`, like those that will be served, "
                    "or layers in `in_float`, such as 'encoder_cross_attention', may help."
                )

    def lines(self):
        return [self._line(key) for key in self.measures]

    def told(self):
        """{output: {name: text}} of all numbers."""
        return {
            key: {
                "measure": measure.measure,
                "float32": f"{measure.before:.6g}",
                "int8": f"{measure.after:.6g}",
                "loss": f"{measure.loss:.6g}",
                "largest_loss": f"{self.allowed[key]:.6g}",
            }
            for key, measure in self.measures.items()
        }

    def _line(self, key):
        one = self.measures[key]
        return f"{key}: {one.measure} {one.before:.4f} in float32, {one.after:.4f} in int8"

    def _of(self, key, structure):
        """What belongs to an output, of targets or weights."""
        if isinstance(structure, dict):
            return structure.get(key)
        return structure if len(self.measures) == 1 else None


def _by_output(name, value, outputs, default):
    if not isinstance(value, dict):
        return {key: value for key in outputs}
    if not set(value) <= set(outputs):
        raise ValueError(
            f"`{name}` must be for outputs among {sorted(outputs)}. Received: {sorted(value)}"
        )
    return {key: value.get(key, default) for key in outputs}
