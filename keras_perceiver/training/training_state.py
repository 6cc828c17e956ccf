"""The complete state of training as a list of arrays."""

import keras


class TrainingState:
    """The variables of a model, its optimizer, its random seeds and its metrics.

    Args:
        model: A compiled `keras.Model` whose optimizer and metrics are built.
    """

    def __init__(self, model):
        self.model = model
        self._restored_metrics = None

    def read(self):
        """NumPy arrays of all variables. With several workers, all must call it together."""
        with self.model.distribute_strategy.scope():
            return [keras.ops.convert_to_numpy(variable) for variable in self._variables()]

    def write(self, arrays, directory):
        """Sets all variables, or raises ValueError if the arrays do not fit the model."""
        variables = self._variables()
        wanted = [(tuple(v.shape), _kind(v)) for v in variables]
        found = [(array.shape, array.dtype.itemsize) for array in arrays]
        if [(shape, kind.itemsize) for shape, kind in wanted] != found:
            differing = [
                f"{variable.path} {shape}"
                for variable, (shape, kind), other in zip(variables, wanted, found)
                if (shape, kind.itemsize) != other
            ]
            raise ValueError(
                "`directory` must hold the training of this model, compiled in the same way. "
                f"Received: directory={str(directory)!r}, of {len(found)} variables where this "
                f"model has {len(wanted)}; the first that differ: {differing[:3]}"
            )
        arrays = [array.view(kind) for array, (_, kind) in zip(arrays, wanted)]
        with self.model.distribute_strategy.scope():
            for variable, array in zip(variables, arrays):
                variable.assign(array)
        self._restored_metrics = arrays[len(arrays) - len(self.model.metrics_variables) :]

    def write_metrics(self):
        """Restores the metrics again, after Keras has reset them at the start of an epoch."""
        with self.model.distribute_strategy.scope():
            for variable, array in zip(self.model.metrics_variables, self._restored_metrics):
                variable.assign(array)

    def _variables(self):
        optimizer, metrics = self.model.optimizer.variables, self.model.metrics_variables
        return [*self.model.variables, *optimizer, *metrics]


def _kind(variable):
    """The NumPy dtype of a variable, also for bfloat16, which is not built into NumPy."""
    return keras.ops.convert_to_numpy(keras.ops.zeros((1,), variable.dtype)).dtype
