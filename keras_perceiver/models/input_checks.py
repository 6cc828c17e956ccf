"""What is given to a model, held against what it takes, before any work is done."""

import keras
import numpy as np


def check_arrays(specs, is_dict, inputs):
    """Like `checked`, for what `fit`, `evaluate` and `predict` are given: NumPy arrays only."""
    arrays = list(inputs.values()) if isinstance(inputs, dict) else [inputs]
    if not all(isinstance(array, np.ndarray) for array in arrays):
        return  # a pipeline, whose elements nobody has seen yet
    if isinstance(inputs, dict) and set(specs) - set(inputs):
        checked(specs, is_dict, inputs)
    named = inputs if isinstance(inputs, dict) else dict(zip(specs, arrays))
    for name, array in named.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            bad = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(
                f"`inputs[{name!r}]` must be finite numbers. Received: {array[bad]} at index {bad}"
            )


def checked(specs, is_dict, inputs):
    """Returns `inputs`, or raises ValueError naming the entry, what was wanted and what came.

    Args:
        specs: {name: KerasTensor} of what the model takes.
        is_dict: Whether it takes a dict.
        inputs: What came: a tensor, or a dict of them.
    """
    if not isinstance(inputs, dict):
        if is_dict:
            raise ValueError(
                f"`inputs` must be a dict with the entries {sorted(specs)}. Received: "
                f"{type(inputs).__name__}"
            )
        ((name, spec),) = specs.items()
        _check(name, spec, inputs)
        return inputs
    missing = sorted(set(specs) - set(inputs))
    if missing:
        raise ValueError(
            f"`inputs` must have the entries {sorted(specs)}. Received: entries "
            f"{sorted(inputs)}, without {missing}"
        )
    inputs = {name: inputs[name] for name in specs}
    for name, spec in specs.items():
        _check(name, spec, inputs[name])
    for name in specs:
        main = name.removesuffix("_mask")
        # A mask of known length was checked above; that of sound counts patches, not samples.
        if main != name and main in specs and specs[name].shape[1] is None:
            _check_length(name, inputs[name], main, inputs[main])
    return inputs if is_dict else next(iter(inputs.values()))


def _check(name, spec, value):
    shape = getattr(value, "shape", None)
    if shape is not None and getattr(shape, "rank", 0) is not None:
        shape, wanted = tuple(shape), tuple(spec.shape)
        fits = len(shape) == len(wanted) and all(
            have is None or want is None or have == want
            for have, want in zip(shape[1:], wanted[1:])
        )
        if not fits:
            described = ", ".join(["batch", *("any" if n is None else str(n) for n in wanted[1:])])
            raise ValueError(
                f"`inputs[{name!r}]` must have shape ({described}). Received: shape {shape}"
            )
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return
    try:
        dtype = keras.backend.standardize_dtype(dtype)
    except ValueError:
        dtype = str(dtype)
    wanted = keras.backend.standardize_dtype(spec.dtype)
    kinds = {"float": ("float", "bfloat", "int", "uint", "bool"), "int": ("int", "uint")}
    kinds["bool"] = ("bool", "int", "uint")
    accepted = next(names for kind, names in kinds.items() if wanted.startswith(kind))
    if not dtype.startswith(accepted):
        what = {"float": "numbers", "int": "whole numbers", "bool": "booleans"}
        raise ValueError(
            f"`inputs[{name!r}]` must be {what[wanted.rstrip('0123456789')]} ({wanted}). "
            f"Received: {dtype}"
        )


def _check_length(mask_name, mask, name, value):
    mask_shape, shape = getattr(mask, "shape", None), getattr(value, "shape", None)
    if mask_shape is None or shape is None or len(shape) != 3 or len(mask_shape) != 2:
        return
    if None not in (mask_shape[1], shape[1]) and mask_shape[1] != shape[1]:
        raise ValueError(
            f"`inputs[{mask_name!r}]` must be as long as `inputs[{name!r}]`, {shape[1]}. Received: "
            f"shape {tuple(mask_shape)}"
        )
