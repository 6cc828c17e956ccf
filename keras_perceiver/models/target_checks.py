"""Checks of the targets of `fit` and `evaluate` against the model's outputs."""

import re

import keras
import numpy as np

from keras_perceiver import arguments

TAKE_PROBABILITIES = {
    "binary_crossentropy": "keras.losses.BinaryCrossentropy(from_logits=True)",
    "binary_focal_crossentropy": "keras.losses.BinaryFocalCrossentropy(from_logits=True)",
    "categorical_crossentropy": "keras.losses.CategoricalCrossentropy(from_logits=True)",
    "categorical_focal_crossentropy": "keras.losses.CategoricalFocalCrossentropy(from_logits=True)",
    "sparse_categorical_crossentropy": (
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"
    ),
}


def check_losses(loss, outputs):
    """Raises ValueError if an output of logits gets a loss that expects probabilities.

    Args:
        loss: The `loss` argument of `compile`.
        outputs: Bound outputs by name.
    """
    losses = loss if isinstance(loss, dict) else dict.fromkeys(outputs, loss)
    for key, output in outputs.items():
        name = _name_of_probability_loss(losses.get(key))
        if output.num_classes is not None and name is not None:
            which = f"loss[{key!r}]" if isinstance(loss, dict) else "loss"
            raise ValueError(
                f"`{which}` must take logits, as output {key!r} gives them, such as "
                f"{TAKE_PROBABILITIES[name]}. Received: {which}={losses[key]!r}, which takes "
                "probabilities"
            )


def check_targets(targets, losses, outputs, is_dict):
    """Raises ValueError if NumPy targets do not fit the model's outputs.

    Args:
        targets: An array or a dict of arrays, as `fit` takes them.
        losses: The `loss` argument of `compile`.
        outputs: Bound outputs by name.
        is_dict: Whether the model returns a dict.
    """
    if isinstance(targets, dict) and is_dict:
        unknown = sorted(set(targets) - set(outputs), key=repr)
        if unknown:
            raise ValueError(
                f"`y` must have the names of outputs, {sorted(outputs)}. Received: {unknown}"
            )
        by_name = targets
    elif is_dict or isinstance(targets, dict):
        return _check_structure(targets, outputs, is_dict)
    else:
        by_name = dict.fromkeys(outputs, targets)
    for key, target in by_name.items():
        if isinstance(target, np.ndarray):
            loss = losses.get(key) if isinstance(losses, dict) else losses
            name = f"y[{key!r}]" if is_dict else "y"
            _check_target(name, target, loss, outputs[key])


def _check_structure(targets, outputs, is_dict):
    if isinstance(targets, np.ndarray) and is_dict:
        raise ValueError(
            f"`y` must be a dict with the names of outputs, {sorted(outputs)}. Received: an array "
            f"of shape {targets.shape}"
        )
    if isinstance(targets, dict) and not is_dict:
        raise ValueError(
            f"`y` must be an array, as the model has one output. Received: a dict with the "
            f"entries {sorted(targets, key=repr)}"
        )


def _check_target(name, target, loss, output):
    arguments.finite(name, target)
    shape = output.asked_shape
    if not _compares_alike(loss):
        return
    if output.num_classes is not None and _is_sparse(loss):
        shape = shape[:-1]
        one_hot = output.num_classes > 1 and target.shape[1:] == (*shape, output.num_classes)
        if one_hot and target.shape[1:] != (*shape, 1):
            raise ValueError(
                f"`{name}` must be whole numbers from 0 to {output.num_classes - 1}, one for each "
                "target; one-hot vectors need "
                "loss=keras.losses.CategoricalCrossentropy(from_logits=True). Received: shape "
                f"{target.shape}"
            )
        _check_classes(name, target, loss, output)
    binary = isinstance(loss, keras.losses.BinaryCrossentropy) and target.size
    if binary and (target.min() < 0 or target.max() > 1):
        raise ValueError(
            f"`{name}` must be zeros and ones. Received: values from {target.min()} to "
            f"{target.max()}"
        )
    if not _same_shape(target.shape[1:], shape):
        wanted = ", ".join(["batch", *("any" if n is None else str(n) for n in shape)])
        raise ValueError(f"`{name}` must have shape ({wanted}). Received: shape {target.shape}")


def _check_classes(name, target, loss, output):
    if (
        target.dtype.kind == "f"
        and (target != np.floor(target)).any()
        or target.dtype.kind in "OUS"
    ):
        raise ValueError(f"`{name}` must be whole numbers. Received: type {target.dtype}")
    ignored = getattr(loss, "ignore_class", None)
    values = target if ignored is None else target[target != ignored]
    if values.size and (values.min() < 0 or values.max() >= output.num_classes):
        raise ValueError(
            f"`{name}` must be whole numbers from 0 to {output.num_classes - 1} "
            f"(num_classes={output.num_classes}). Received: values from {values.min()} to "
            f"{values.max()}"
        )


def _same_shape(have, want):
    """Whether the shapes are equal up to a last axis of size 1, which Keras adds or drops."""
    have, want = tuple(have), tuple(want)
    fitting = {want, (*want, 1)} | ({want[:-1]} if want and want[-1] == 1 else set())
    return any(
        len(have) == len(w) and all(b is None or a == b for a, b in zip(have, w)) for w in fitting
    )


def _compares_alike(loss):
    """Whether this is a known loss, which needs targets of the output's shape."""
    if not isinstance(loss, keras.losses.Loss):
        return isinstance(loss, str)
    return type(loss).__module__.startswith(("keras.", "keras_perceiver."))


def _is_sparse(loss):
    return isinstance(loss, keras.losses.SparseCategoricalCrossentropy)


def _name_of_probability_loss(loss):
    """The name of a loss that expects probabilities, or None for other losses."""
    if isinstance(loss, keras.losses.Loss):
        if getattr(loss, "from_logits", True):
            return None
        loss = loss.fn
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", None)
    name = re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower() if isinstance(name, str) else None
    return name if name in TAKE_PROBABILITIES else None
