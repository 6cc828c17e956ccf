"""The inverse of joining arrays along their length."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_perceiver")
class SplitLengths(keras.layers.Layer):
    """Cuts a joined array back into parts as long as those it was joined from.

    Call arguments:
        inputs: Array of shape `(batch, sum of lengths, width)`.
        parts: A dict of arrays `(batch, length, any width)`; only their lengths are read, in the
            order of their sorted names.

    Returns:
        A dict with the same names of arrays `(batch, length, width)`.
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
        return super().get_config()  # no arguments of its own; Keras asks that this be said
