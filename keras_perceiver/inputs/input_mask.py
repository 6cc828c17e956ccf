"""Which inputs may be attended."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_perceiver")
class InputMask(keras.layers.Layer):
    """Joins what is known about absent inputs into one mask.

    Args:
        pad_id: Token id that means "no token", or None.

    Call arguments:
        inputs: Array `(batch, num_inputs, input_dim)`; only its shape is read.
        mask: Optional booleans `(batch, num_inputs)`.
        ids: Optional token ids `(batch, num_inputs)`; those equal to `pad_id` are absent.
        present: Optional booleans `(batch, 1)`: whether the modality is there at all.

    Returns:
        Booleans `(batch, num_inputs)`, True = may be attended.
    """

    def __init__(self, pad_id=None, **kwargs):
        super().__init__(**kwargs)
        self.pad_id = pad_id
        self.supports_masking = True

    def call(self, inputs, mask=None, ids=None, present=None):
        allowed = ops.ones(ops.shape(inputs)[:2], dtype="bool")
        if mask is not None:
            allowed = ops.logical_and(allowed, ops.cast(mask, "bool"))
        if ids is not None:
            allowed = ops.logical_and(allowed, ops.not_equal(ids, self.pad_id))
        if present is not None:
            allowed = ops.logical_and(allowed, ops.cast(present, "bool"))
        return allowed

    def compute_mask(self, inputs, previous_mask):
        return None

    def compute_output_spec(self, inputs, mask=None, ids=None, present=None):
        return keras.KerasTensor(inputs.shape[:2], "bool")

    def get_config(self):
        return {**super().get_config(), "pad_id": self.pad_id}
