"""The layer around a product with a tied embedding."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.initializers import plain_linear_init


@keras.saving.register_keras_serializable(package="keras_perceiver")
class TiedHead(keras.layers.Layer):
    """The steps before and after the product of decoded queries with a token embedding.

    Args:
        dim: Width of the embedding.
        vocab_size: Number of token ids.

    Call arguments:
        inputs: With `project`, decoded queries `(batch, length, width)`; without, products with
            the embedding, `(batch, length, vocab_size)`.
        project: If True, returns `inputs` at the width of the embedding, projected by a dense layer
            if their width differs (queries padded to the width of other outputs). If False, adds
            the bias.

    Returns:
        Array of shape `(batch, length, dim)`, or float32 logits `(batch, length, vocab_size)`.

    Reference: Perceiver IO (arXiv 2107.14795), section 4.1.
    """

    def __init__(self, dim, vocab_size, **kwargs):
        super().__init__(**kwargs)
        self.dim = arguments.whole_number("dim", dim)
        self.vocab_size = arguments.whole_number("vocab_size", vocab_size)

    def build(self, input_shape):
        self.projection = None
        if input_shape[-1] != self.dim:
            self.projection = keras.layers.Dense(
                self.dim,
                kernel_initializer=plain_linear_init(),
                dtype=self.dtype_policy,
                name="projection",
            )
            self.projection.build(input_shape)
        self.bias = self.add_weight(shape=(self.vocab_size,), initializer="zeros", name="bias")

    def call(self, inputs, project=False):
        if not project:
            dtype = "float64" if inputs.dtype == "float64" else "float32"
            return ops.cast(inputs, dtype) + ops.cast(self.bias, dtype)
        return inputs if self.projection is None else self.projection(inputs)

    def get_config(self):
        return {**super().get_config(), "dim": self.dim, "vocab_size": self.vocab_size}
