"""Checks of the arguments of `compile`, before a model is built."""

import contextlib
from typing import NamedTuple

import keras

from keras_perceiver import arguments


class CompileArguments(NamedTuple):
    """The arguments of `compile` that builders take; see `build_perceiver_io`."""

    optimizer: object = None
    learning_rate: object = 1e-3
    weight_decay: object = None
    loss: object = None
    loss_weights: object = None
    metrics: object = None
    weighted_metrics: object = None
    jit_compile: object = "auto"


def check_compile_arguments(given):
    """Raises ValueError for the first of the `CompileArguments` with which Keras cannot compile.

    Names of outputs, and whether a loss expects logits, are checked once there is a model.
    """
    if given.optimizer is None:
        if not isinstance(given.learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            arguments.number("learning_rate", given.learning_rate, above=0)
        if given.weight_decay is not None:
            arguments.number("weight_decay", given.weight_decay, at_least=0)
    elif not isinstance(given.optimizer, keras.optimizers.Optimizer):
        wanted = "a Keras optimizer or the name of one"
        _known("optimizer", given.optimizer, keras.optimizers.get, wanted)
    for one in _leaves(given.loss):
        if not callable(one):
            _known("loss", one, keras.losses.get, "Keras losses or names of such, by output")
    for name in ("metrics", "weighted_metrics"):
        for one in _leaves(getattr(given, name)):
            short = isinstance(one, str) and one in ("acc", "ce")  # Keras resolves these later
            if not callable(one) and not short:
                _known(name, one, keras.metrics.get, "Keras metrics or names of such, by output")
    loss_weights, jit_compile = given.loss_weights, given.jit_compile
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
