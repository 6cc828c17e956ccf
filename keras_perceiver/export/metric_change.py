"""How much worse a metric is with another file of the same model."""

import copy

import keras

MODES = {"auto": None, "max": "up", "min": "down"}


class MetricChange:
    """A metric of one output with targets, for two files.

    Args:
        output: The bound description of the output.
        metric: A `keras.metrics.Metric`, or the name of one of the output's own, such as
            "accuracy".
        mode: "max" if larger is better, "min" if smaller is, or "auto": as the metric says.

    Raises:
        ValueError: if there is no such metric, or it does not say which direction is better.

    Example:

    >>> measure = MetricChange(model.output_descriptions["classes"], "accuracy", "auto")
    >>> measure.update(wanted, found, targets)
    >>> measure.before, measure.after, measure.loss
    (0.98, 0.97, 0.01)
    """

    def __init__(self, output, metric, mode="auto"):
        if isinstance(metric, str):
            own = {one.name: one for one in output.metrics()}
            if metric not in own:
                raise ValueError(
                    f"`metric` must be a keras.metrics.Metric, or the name of one of output "
                    f"'{output.name}', {sorted(own)}. Received: metric={metric!r}"
                )
            metric = own[metric]
        if not isinstance(metric, keras.metrics.Metric):
            raise ValueError(
                f"`metric` must be a keras.metrics.Metric, or a name. Received: metric={metric!r}"
            )
        direction = MODES[mode] or getattr(metric, "_direction", None)
        if direction is None:
            raise ValueError(
                f"`mode` must be 'max' or 'min' for the metric '{metric.name}', which does not say "
                f"whether larger is better. Received: mode={mode!r}"
            )
        self.sign = 1.0 if direction == "up" else -1.0
        self.measure = metric.name
        self.metrics = [_copied(metric), _copied(metric)]

    def update(self, wanted, found, targets, weights=None):
        """Adds a batch of answers of the two files."""
        for metric, answers in zip(self.metrics, (wanted, found)):
            metric.update_state(targets, answers, sample_weight=weights)

    @property
    def before(self):
        return float(self.metrics[0].result())

    @property
    def after(self):
        return float(self.metrics[1].result())

    @property
    def loss(self):
        return self.sign * (self.before - self.after)


def _copied(metric):
    """A new metric with the same arguments."""
    try:
        return metric.__class__.from_config(metric.get_config())
    except (TypeError, NotImplementedError):  # a user's class without `get_config`
        return copy.deepcopy(metric)
