"""A copy of what training changes, to go back to."""

import numpy as np
from keras import ops


class Snapshot:
    """The values of a model's weights, seeds, optimizer and metrics, as NumPy arrays.

    Args:
        model: A `keras.Model` whose optimizer is built. With several workers, all must take and
            restore snapshots together.
        steps: Number of steps trained so far.
        epoch: The epoch whose metrics these are; None for none.
    """

    def __init__(self, model, steps, epoch):
        self.steps, self.epoch = steps, epoch
        with model.distribute_strategy.scope():
            self._values = [ops.convert_to_numpy(variable) for variable in _variables(model)]
            self._metrics = [ops.convert_to_numpy(variable) for variable in model.metrics_variables]

    def is_finite(self):
        """Whether no weight and no variable of the optimizer is NaN or infinite."""
        return all(np.isfinite(value).all() for value in self._values)

    def restore(self, model, epoch):
        """Gives the variables these values again, and the metrics if it is still that epoch."""
        with model.distribute_strategy.scope():
            for variable, value in zip(_variables(model), self._values, strict=True):
                variable.assign(value)
            metrics = model.metrics_variables
            if epoch != self.epoch or len(metrics) != len(self._metrics):
                model.reset_metrics()
                return
            for variable, value in zip(metrics, self._metrics):
                variable.assign(value)


def _variables(model):
    return [*model.variables, *model.optimizer.variables]
