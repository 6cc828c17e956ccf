"""Checks of a model's inputs before anything is computed."""

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.concrete import concrete


class InputChecks:
    """Checks a model's inputs, and fills in missing modalities.

    Args:
        tensors: Symbolic inputs of the functional model.
        takes_dict: Whether it takes a dict.
        inputs: The model's bound inputs by name.
        outputs: The model's bound outputs by name.
    """

    def __init__(self, tensors, takes_dict, inputs, outputs):
        self.specs = {tensor.name: tensor for tensor in tensors}
        self.takes_dict = takes_dict
        limits = {}
        for described in (*inputs.values(), *outputs.values()):
            limits.update(described.request_limits(1))
        self.limits = {name: limits[name] for name in self.specs if name in limits}
        self.optional = {
            key: [name for name in one.raw_specs() if name in self.specs]
            for key, one in inputs.items()
            if one.may_be_missing and key in self.specs
        }
        self.contents = {key: list(inputs[key].raw_names().values()) for key in self.optional}

    def __call__(self, inputs):
        """Returns `inputs` in the form that the model takes.

        Raises:
            ValueError: if an entry is wrong; names it, the expected and the received value.
        """
        if not isinstance(inputs, dict):
            if self.takes_dict:
                raise ValueError(
                    f"`inputs` must be a dict with the entries {sorted(self.specs)}. Received: "
                    f"{type(inputs).__name__}"
                )
            ((name, spec),) = self.specs.items()
            self._check(name, spec, inputs)
            return inputs
        inputs = self._with_missing(inputs)
        missing = sorted(set(self.specs) - set(inputs))
        if missing:
            raise ValueError(
                f"`inputs` must have the entries {sorted(self.specs)}. Received: entries "
                f"{sorted(inputs)}, without {missing}"
            )
        inputs = {name: inputs[name] for name in self.specs}
        for name, spec in self.specs.items():
            self._check(name, spec, inputs[name])
        self._check_batch(inputs)
        for name in self.specs:
            main = name.removesuffix("_mask")
            # Masks of known length were checked above. (A mask of sound has one flag per patch, not
            # per sample.)
            if main != name and main in self.specs and self.specs[name].shape[1] is None:
                _check_length(name, inputs[name], main, inputs[main])
        return inputs if self.takes_dict else next(iter(inputs.values()))

    def arrays(self, inputs):
        """The same for the inputs of `fit`, `evaluate` and `predict`, if they are NumPy arrays."""
        if inputs is None or keras.tree.is_nested(inputs) != isinstance(inputs, dict):
            return inputs
        arrays = list(inputs.values()) if isinstance(inputs, dict) else [inputs]
        if not all(array is None or isinstance(array, np.ndarray) for array in arrays):
            return inputs  # a pipeline, whose elements are not known yet
        if not isinstance(inputs, dict) and self.takes_dict and len(self.specs) > 1:
            return self(inputs)
        if isinstance(inputs, dict) and not set(inputs) <= set(self.specs):
            extra = {name: array for name, array in inputs.items() if name not in self.specs}
            checked = self({n: a for n, a in inputs.items() if n in self.specs})
            return {**checked, **extra} if self.takes_dict else checked
        return self(inputs)

    def _with_missing(self, inputs):
        """`inputs`, with zeros for missing modalities and with flags for their presence."""
        found = {name: value for name, value in inputs.items() if value is not None}
        for key, names in self.optional.items():
            flag = f"{key}_present"
            given = [name for name in self.contents[key] if name in found]
            if len(getattr(found.get(flag), "shape", ())) == 1:
                found[flag] = found[flag][:, None]
            if not given:
                values = concrete(found[flag]) if flag in found else None
                if values is not None and values.any():
                    raise ValueError(
                        f"`inputs[{key!r}]` must be given for the examples for which "
                        f"`inputs[{flag!r}]` is True. Received: no {key!r}"
                    )
                for name in names:
                    if name not in found:
                        found[name] = self._zeros(name, found)
            elif flag not in found:
                found[flag] = _ones_like_batch(found[given[0]])
        return found

    def _zeros(self, name, found):
        """A placeholder for a modality that is missing from all examples of the batch."""
        given = [found[other] for other in self.specs if other in found]
        if not given:
            raise ValueError(
                f"`inputs` must have at least one of the entries {sorted(self.specs)}. Received: "
                "none of them"
            )
        spec = self.specs[name]
        shape = tuple(size or 1 for size in spec.shape[1:])
        dtype = keras.backend.standardize_dtype(spec.dtype)
        if isinstance(given[0], np.ndarray):
            return np.zeros((len(given[0]), *shape), dtype)
        return ops.zeros((ops.shape(given[0])[0], *shape), dtype)

    def _check(self, name, spec, value):
        _check_dtype(name, getattr(value, "dtype", None), spec)
        shape = getattr(value, "shape", None)
        if shape is not None and getattr(shape, "rank", 0) is not None:
            _check_shape(name, tuple(shape), tuple(spec.shape))
        values = concrete(value)
        if values is None:
            return
        limit = self.limits.get(name)
        if limit is None or not limit.may_be_nan:
            arguments.finite(f"inputs[{name!r}]", values)
        elif np.isinf(np.asarray(values, "float64")).any():
            raise ValueError(
                f"`inputs[{name!r}]` must be finite numbers, or NaN where they are missing. "
                "Received: infinite ones"
            )
        if limit is not None and limit.below is not None and values.size:
            below, least = np.asarray(limit.below), limit.least
            if ((values < least) | (values >= below)).any():
                most = below - 1 if below.ndim == 0 else (below - 1).tolist()
                raise ValueError(
                    f"`inputs[{name!r}]` must be whole numbers from {least} to {most}. Received: "
                    f"values from {values.min()} to {values.max()}"
                )

    def _check_batch(self, inputs):
        sizes = {name: getattr(value, "shape", (None,))[0] for name, value in inputs.items()}
        known = {name: size for name, size in sizes.items() if isinstance(size, int)}
        if len(set(known.values())) > 1:
            raise ValueError(
                f"`inputs` must hold the same number of examples in each entry. Received: {known}"
            )


def _ones_like_batch(array):
    if isinstance(array, np.ndarray):
        return np.ones((len(array), 1), bool)
    return ops.ones((ops.shape(array)[0], 1), "bool")


def _check_shape(name, shape, wanted):
    fits = len(shape) == len(wanted) and all(
        have is None or want is None or have == want for have, want in zip(shape[1:], wanted[1:])
    )
    if not fits:
        described = ", ".join(["batch", *("any" if n is None else str(n) for n in wanted[1:])])
        raise ValueError(
            f"`inputs[{name!r}]` must have shape ({described}). Received: shape {shape}"
        )


def _check_dtype(name, dtype, spec):
    if dtype is None:
        return
    wanted = keras.backend.standardize_dtype(spec.dtype)
    try:
        dtype = keras.backend.standardize_dtype(dtype)
    except ValueError:
        dtype = str(dtype)
    kinds = {"float": ("float", "bfloat", "int", "uint", "bool"), "int": ("int", "uint")}
    kinds["bool"] = ("bool", "int", "uint")
    accepted = next(names for kind, names in kinds.items() if wanted.startswith(kind))
    if dtype.startswith(accepted):
        return
    what = {"float": "numbers", "int": "whole numbers", "bool": "booleans"}
    text = dtype.startswith(("str", "<U", "|S", "bytes", "object"))
    hint = ". Convert texts to token ids with kp.text_to_ids" if text else ""
    raise ValueError(
        f"`inputs[{name!r}]` must be {what[wanted.rstrip('0123456789')]} ({wanted}){hint}. "
        f"Received: {'strings' if text else dtype}"
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
