"""The mask of the inputs that may be attended."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_perceiver")
class InputMask(keras.layers.Layer):
    """Combines masks, padding ids and presence flags into one mask.

    Args:
        pad_id: Token id that means "no token", or None.

    Call arguments:
        inputs: Array `(batch, num_inputs, input_dim)` or features `(batch, *grid, channels)`; only
            its shape is used.
        mask: Optional booleans `(batch, num_inputs)`.
        ids: Optional token ids `(batch, num_inputs)`; those equal to `pad_id` are absent.
        present: Optional booleans `(batch, 1)`: whether the modality is present.
        indices: Optional whole numbers `(batch, n)`: the positions of `inputs` among all inputs.

    Returns:
        Booleans `(batch, num_inputs)` or `(batch, n)`, True = may be attended.
    """

    def __init__(self, pad_id=None, **kwargs):
        super().__init__(**kwargs)
        self.pad_id = pad_id
        self.supports_masking = True

    def call(self, inputs, mask=None, ids=None, present=None, indices=None):
        batch, *grid, _ = ops.shape(inputs)
        allowed = ops.ones((batch, math.prod(grid)), dtype="bool")

        def selected(array):
            return array if indices is None else ops.take_along_axis(array, indices, axis=1)

        if mask is not None:
            allowed = ops.logical_and(allowed, ops.cast(selected(mask), "bool"))
        if ids is not None:
            allowed = ops.logical_and(allowed, ops.not_equal(selected(ids), self.pad_id))
        if present is not None:
            allowed = ops.logical_and(allowed, ops.cast(present, "bool"))
        return allowed

    def compute_mask(self, inputs, previous_mask):
        return None

    def compute_output_spec(self, inputs, mask=None, ids=None, present=None, indices=None):
        grid = inputs.shape[1:-1]
        length = None if None in grid else math.prod(grid)
        return keras.KerasTensor((inputs.shape[0], length), "bool")

    def get_config(self):
        return {**super().get_config(), "pad_id": self.pad_id}
