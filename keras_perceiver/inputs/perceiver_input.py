"""What every input description has in common."""

import keras


class PerceiverInput(keras.layers.Layer):
    """One modality in: a layer from raw tensors to an array `(batch, num_inputs, input_dim)`.

    A description is cheap to make and holds no weights until a model is built from it; builders
    work on a copy, so one description can serve several models.

    Subclasses set `kind` (the name used when there is only one input) and implement `parts`,
    `call` and, where some inputs may be absent, `compute_mask`.
    """

    kind = "inputs"

    def parts(self):
        """Raw tensors taken: {argument of `call`: (shape without batch, dtype)}, main one first."""
        raise NotImplementedError

    def raw_names(self, name):
        """{argument of `call`: name of the model's input}: `name`, then `name_<argument>`."""
        main, *others = self.parts()
        return {main: name, **{part: f"{name}_{part}" for part in others}}

    def raw_inputs(self, name):
        """The model's symbolic inputs for this modality, by name."""
        names = self.raw_names(name)
        return {
            names[part]: keras.Input(shape, dtype=dtype, name=names[part])
            for part, (shape, dtype) in self.parts().items()
        }

    def read(self, raw, name):
        """Calls this layer on its own entries of `raw`, a dict of tensors by input name."""
        names = self.raw_names(name)
        main, *others = names
        return self(raw[names[main]], **{part: raw[names[part]] for part in others})

    def copy(self, name=None, dtype=None):
        """A fresh description with the same arguments and no weights."""
        config = self.get_config()
        if name is not None:
            config["name"] = name
        if dtype is not None:
            config["dtype"] = dtype
        return type(self).from_config(config)
