"""What every input description has in common."""

import keras

from keras_perceiver.inputs.input_mask import InputMask


class PerceiverInput(keras.layers.Layer):
    """One modality in: a layer from raw tensors to an array `(batch, num_inputs, input_dim)`.

    A description is cheap to make and holds no weights until a model is built from it; builders
    work on a copy, so one description can serve several models.

    Subclasses set `kind` (the name used when there is only one input) and implement `raw_parts`
    and `call`, which takes those parts and optionally `indices` `(batch, n)`, to return some of
    the inputs only.

    Args:
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, True = may be attended.
        may_be_missing: Whether the model takes a further input `<name>_present` of booleans
            `(batch, 1)`; where False, the whole modality is masked for that example.
    """

    kind = "inputs"
    pad_id = None
    separable = False  # whether `call` takes `joined=False`, to leave the positions to attention

    def __init__(self, masked=False, may_be_missing=False, **kwargs):
        super().__init__(**kwargs)
        self.masked = bool(masked)
        self.may_be_missing = bool(may_be_missing)

    def raw_parts(self):
        """Raw tensors that `call` takes: {argument: (shape without batch, dtype)}, main first."""
        raise NotImplementedError

    def raw_names(self, name):
        """{argument of `call`: name of the model's input}: `name`, then `name_<argument>`."""
        main, *others = self.raw_parts()
        return {main: name, **{part: f"{name}_{part}" for part in others}}

    def raw_inputs(self, name):
        """The model's symbolic inputs for this modality, by name."""
        names = self.raw_names(name)
        specs = {names[part]: spec for part, spec in self.raw_parts().items()}
        if self.masked:
            specs[f"{name}_mask"] = ((self.num_inputs,), "bool")
        if self.may_be_missing:
            specs[f"{name}_present"] = ((1,), "bool")
        return {
            key: keras.Input(shape, dtype=dtype, name=key) for key, (shape, dtype) in specs.items()
        }

    def read(self, raw, name, indices=None, joined=True):
        """Calls this layer on its own entries of `raw`, a dict of tensors by input name."""
        main, *others = self.raw_names(name).items()
        parts = {part: raw[key] for part, key in others}
        if indices is not None:
            parts["indices"] = indices
        if not joined:
            parts["joined"] = False
        return self(raw[main[1]], **parts)

    def mask(self, raw, name, array):
        """Booleans `(batch, num_inputs)`, True = may be attended, or None if all may be."""
        found = {}
        if self.masked:
            found["mask"] = raw[f"{name}_mask"]
        elif self.pad_id is not None:
            found["ids"] = raw[name]
        if self.may_be_missing:
            found["present"] = raw[f"{name}_present"]
        return InputMask(self.pad_id)(array, **found) if found else None

    @property
    def num_inputs(self):
        """Number of inputs of each example, or None if known only at call time."""
        raise NotImplementedError

    def copy(self, name=None, dtype=None):
        """A fresh description with the same arguments and no weights."""
        config = self.get_config()
        if name is not None:
            config["name"] = name
        if dtype is not None:
            config["dtype"] = dtype
        return type(self).from_config(config)

    def get_config(self):
        return {
            **super().get_config(),
            "masked": self.masked,
            "may_be_missing": self.may_be_missing,
        }
