"""Training a model for a few steps and putting it back as it was."""

import contextlib

import keras
import numpy as np


@contextlib.contextmanager
def trial(model):
    """Lets the model be trained inside; afterwards its weights and optimizer are as before."""
    optimizer = model.optimizer
    variables = _all_variables(model)
    kept = [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]
    try:
        yield
    finally:
        _set_optimizer(model, optimizer)
        for variable, value in zip(variables, kept):
            variable.assign(keras.ops.convert_to_tensor(value, variable.dtype))


def use_optimizer(model, optimizer, train_function=None):
    """Sets the optimizer of a compiled model.

    Its training step is traced again, unless its `train_function` with this optimizer is given.
    """
    _set_optimizer(model, optimizer)
    model.train_function = train_function
    if not optimizer.built:
        optimizer.build(model.trainable_variables)


def _set_optimizer(model, optimizer):
    model.optimizer = optimizer
    model.train_function = model.test_function = None


def _all_variables(model):
    variables = list(model.variables)  # with seeds and metrics
    variables += list(model.metrics_variables)
    if model.optimizer is not None:
        variables += list(model.optimizer.variables)
    return list({id(variable): variable for variable in variables}.values())
