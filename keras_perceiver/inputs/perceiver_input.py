"""The base class of all input descriptions."""

import keras
import numpy as np

from keras_perceiver import arguments
from keras_perceiver.inputs.input_mask import InputMask
from keras_perceiver.inputs.request_limits import RequestLimits, open_limits
from keras_perceiver.layers.part_cost import PartCost


class PerceiverInput(keras.layers.Layer):
    """One input of a model: a layer from raw tensors to `(batch, num_inputs, input_dim)`.

    This is the base class of all input descriptions, including your own. A description is cheap to
    make and has no weights. A model is built from bound copies, which know their `modality`, the
    name of the model's input.

    A subclass implements `raw_parts`, `num_inputs`, `input_dim` and `call`, and also `build` and
    `cost` if it has weights. Register it with Keras and return its arguments from `get_config`.

    Args:
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, True = may be attended.
        may_be_missing: Whether the modality may be missing from some examples. The model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`; if it is
            False, the whole modality is masked for that example. Both entries may be left out, or
            be None, if the modality is missing from all examples of a batch.

    Example:

    >>> @keras.saving.register_keras_serializable("my_package")
    ... class Spectrum(kp.PerceiverInput):
    ...     kind = "spectrum"
    ...
    ...     def __init__(self, num_lines, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.num_lines = num_lines
    ...
    ...     def raw_parts(self):
    ...         return {"inputs": ((self.num_lines, 2), "float32")}
    ...
    ...     num_inputs = property(lambda self: self.num_lines)
    ...     input_dim = 2
    ...
    ...     def call(self, inputs, indices=None):
    ...         lines = keras.ops.log1p(inputs)
    ...         if indices is None:
    ...             return lines
    ...         return keras.ops.take_along_axis(lines, indices[..., None], axis=1)
    ...
    ...     def get_config(self):
    ...         return {**super().get_config(), "num_lines": self.num_lines}

    Reference: Perceiver IO (arXiv 2107.14795), section 3.1 (any array can be an input).
    """

    kind = "inputs"  # name of the modality if the model has only one
    bytes_format = None  # "image", "sound" or "text": the format of an example sent as bytes
    pad_id = None  # token id that means "no token", for inputs made of tokens
    separable = False  # whether `call` takes `joined=False` and leaves positions to the attention
    grid = None  # sizes of the grid whose cells are the inputs, for inputs on a grid
    whole_for_one_answer = False  # whether latents start by reading all, if there is one answer

    def __init__(self, masked=False, may_be_missing=False, **kwargs):
        super().__init__(**kwargs)
        self.masked = arguments.flag("masked", masked)
        self.may_be_missing = arguments.flag("may_be_missing", may_be_missing)
        self.modality = self.kind

    # Properties and methods that subclasses override.

    def raw_parts(self):
        """Raw tensors of `call`: {argument: (shape without batch, dtype)}, the main one first."""
        raise NotImplementedError

    @property
    def num_inputs(self):
        """Number of inputs of each example, or None if known only at call time."""
        raise NotImplementedError

    @property
    def input_dim(self):
        """Width of each input."""
        raise NotImplementedError

    def call(self, inputs, indices=None):
        """The array of inputs; with `indices` `(batch, n)`, only those, `(batch, n, width)`."""
        raise NotImplementedError

    def cost(self):
        """`PartCost` of the weights, and of the matrix products of one example. Default: none."""
        return PartCost()

    def num_inputs_of(self, shape):
        """Number of inputs of an example whose main tensor has this shape, without the batch."""
        return shape[0] if self.num_inputs is None else self.num_inputs

    def largest_num_inputs(self):
        """The largest number of inputs, or None if it is unlimited."""
        return self.num_inputs

    def places(self, random, count):
        """`Places` of at most `count` inputs with random content, of a built layer.

        Attention to them starts local. Default: None, for inputs without positions.

        Args:
            random: `numpy.random.Generator`.
            count: How many.
        """
        return None

    def content_channels(self):
        """Booleans `(input_dim,)`, False for channels of positions. Default: all are content."""
        return np.ones(self.input_dim, bool)

    def start_locally(self):
        """Gives learned positions initial values that tell places apart. Default: nothing."""

    def opened(self):
        """A description in which every size that no weight depends on is open, or `self`."""
        return self

    def request_limits(self, max_growth):
        """{name of a raw tensor: RequestLimits}, for sizes up to `max_growth` times the built."""
        limits = {
            name: open_limits(shape, max_growth) for name, (shape, _) in self.raw_specs().items()
        }
        if self.may_be_missing:
            limits[f"{self.modality}_present"] = RequestLimits((1,), (1,))
        return limits

    # Methods that a model calls.

    def raw_names(self):
        """{argument of `call`: name of the model's input}: `name`, then `name_<argument>`."""
        main, *others = self.raw_parts()
        return {main: self.modality, **{part: f"{self.modality}_{part}" for part in others}}

    def raw_specs(self):
        """{name of the model's input: (shape without batch, dtype)} for this modality."""
        names = self.raw_names()
        specs = {names[part]: spec for part, spec in self.raw_parts().items()}
        if self.masked:
            specs[f"{self.modality}_mask"] = ((self.num_inputs,), "bool")
        if self.may_be_missing:
            specs[f"{self.modality}_present"] = ((1,), "bool")
        return specs

    def raw_inputs(self):
        """The model's symbolic inputs for this modality, by name."""
        return {
            key: keras.Input(shape, dtype=dtype, name=key)
            for key, (shape, dtype) in self.raw_specs().items()
        }

    def read(self, raw, repeated=False, **options):
        """Calls this layer on its entries of `raw`, a dict of tensors by input name.

        `repeated` means that the model has already computed these inputs in this step.
        """
        return self._read(raw, **options)

    def _read(self, raw, **options):
        main, *others = self.raw_names().items()
        return self(raw[main[1]], **{part: raw[key] for part, key in others}, **options)

    @property
    def has_mask(self):
        """Whether some inputs of an example may be absent."""
        return self.masked or self.may_be_missing or self.pad_id is not None

    def mask(self, raw, array, indices=None):
        """Booleans `(batch, num_inputs)`, True = may be attended, or None if all may be.

        `array` is the result of `read` for the same `indices`; only its shape is used.
        """
        if not self.has_mask:
            return None
        found = {}
        if self.masked:
            found["mask"] = raw[f"{self.modality}_mask"]
        elif self.pad_id is not None:
            found["ids"] = raw[self.modality]
        if self.may_be_missing:
            found["present"] = raw[f"{self.modality}_present"]
        if indices is not None:
            found["indices"] = indices
        return InputMask(self.pad_id)(array, **found)

    def bound(self, modality, dtype=None):
        """A new copy without weights, for a model in which this input has this name."""
        config = {**self.get_config(), "name": f"{modality}_inputs"}
        copy = type(self).from_config(config if dtype is None else {**config, "dtype": dtype})
        copy.modality = modality
        return copy

    def get_config(self):
        return {
            **super().get_config(),
            "masked": self.masked,
            "may_be_missing": self.may_be_missing,
        }
