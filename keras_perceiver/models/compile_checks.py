"""Checks of the arguments of `compile`, before a model is built."""

import contextlib

import keras

from keras_perceiver import arguments


def check_compile_arguments(
    optimizer,
    learning_rate,
    weight_decay,
    loss,
    loss_weights,
    metrics,
    weighted_metrics,
    jit_compile,
):
    """Raises ValueError for the first argument with which Keras cannot compile.

    Names of outputs, and whether a loss expects logits, are checked once there is a model.
    """
    if optimizer is None:
        if not isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            arguments.number("learning_rate", learning_rate, above=0)
        if weight_decay is not None:
            arguments.number("weight_decay", weight_decay, at_least=0)
    elif not isinstance(optimizer, keras.optimizers.Optimizer):
        _known("optimizer", optimizer, keras.optimizers.get, "a Keras optimizer or the name of one")
    for one in _leaves(loss):
        if not callable(one):
            _known("loss", one, keras.losses.get, "Keras losses or names of such, by output")
    for name, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
        for one in _leaves(given):
            short = isinstance(one, str) and one in ("acc", "ce")  # Keras resolves these later
            if not callable(one) and not short:
                _known(name, one, keras.metrics.get, "Keras metrics or names of such, by output")
    if loss_weights is not None:
        weights = loss_weights.values() if isinstance(loss_weights, dict) else loss_weights
        several = isinstance(loss_weights, (dict, list, tuple))
        for weight in weights if several else [weights]:
            arguments.number("loss_weights", weight)
    if not isinstance(jit_compile, (bool, str)) or jit_compile not in (True, False, "auto"):
        raise ValueError(
            f"`jit_compile` must be True, False or 'auto'. Received: jit_compile={jit_compile!r}"
        )


def check_names(outputs, **given):
    """Raises ValueError if a dict names outputs that the model does not have."""
    for argument, value in given.items():
        if isinstance(value, dict) and "class_name" not in value:
            unknown = sorted(set(value) - set(outputs), key=repr)
            if unknown:
                raise ValueError(
                    f"`{argument}` must name outputs among {sorted(outputs)}. Received: {unknown}"
                )


def _known(name, value, get, wanted):
    found = None
    if isinstance(value, (str, dict)):
        with contextlib.suppress(ValueError, TypeError, KeyError):
            found = get(value)
    if found is None:
        raise ValueError(f"`{name}` must be {wanted}. Received: {name}={value!r}")


def _leaves(nested):
    """The values in nested lists and dicts, without None. The config of an object is one value."""
    if isinstance(nested, dict) and "class_name" not in nested:
        nested = list(nested.values())
    if isinstance(nested, (list, tuple)):
        for one in nested:
            yield from _leaves(one)
    elif nested is not None:
        yield nested
