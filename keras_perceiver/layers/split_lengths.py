"""The inverse of joining arrays along their length."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_perceiver")
class SplitLengths(keras.layers.Layer):
    """Splits a joined array into parts with the lengths of the original arrays.

    Call arguments:
        inputs: Array of shape `(batch, sum of lengths, width)`.
        parts: A dict of arrays `(batch, length, any width)`; only their lengths are used, in the
            order of their sorted names.

    Returns:
        A dict from the same names to arrays `(batch, length, width)`.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, parts):
        pieces, start = {}, 0
        for name in sorted(parts):
            end = start + ops.shape(parts[name])[1]
            pieces[name] = inputs[:, start:end]
            start = end
        return pieces

    def compute_mask(self, inputs, previous_mask):
        return None

    def get_config(self):
        return super().get_config()  # no arguments; Keras requires this override to clone the layer
