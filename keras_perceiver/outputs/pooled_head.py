"""A head on the mean of the decoded queries."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.initializers import plain_linear_init


@keras.saving.register_keras_serializable(package="keras_perceiver")
class PooledHead(keras.layers.Layer):
    """The mean of the unmasked decoded queries, followed by a dense layer with an activation.

    Args:
        output_dim: Width of the dense layer.
        activation: Any Keras activation.

    Call arguments:
        inputs: Decoded queries `(batch, num_queries, dim)`.
        asked: Optional booleans `(batch, num_queries)`, False for queries to leave out.

    Returns:
        Array of shape `(batch, output_dim)`, of at least float32. If all queries are left out, the
        mean is zero.
    """

    def __init__(self, output_dim, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.output_dim = arguments.whole_number("output_dim", output_dim)
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.output_layer = keras.layers.Dense(
            self.output_dim,
            activation=self.activation,
            kernel_initializer=plain_linear_init(),
            dtype=self.dtype_policy,
            name="output",
        )
        self.output_layer.build((input_shape[0], input_shape[-1]))

    def call(self, inputs, asked=None):
        wide = inputs if inputs.dtype == "float64" else ops.cast(inputs, "float32")
        weights = ops.ones_like(wide[..., :1])
        if asked is not None:
            weights = ops.cast(asked, wide.dtype)[..., None]
        total = ops.maximum(ops.sum(weights, axis=1), 1.0)
        mean = ops.sum(wide * weights, axis=1) / total
        outputs = self.output_layer(ops.cast(mean, self.compute_dtype))
        return outputs if outputs.dtype == "float64" else ops.cast(outputs, "float32")

    def get_config(self):
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
            "activation": keras.activations.serialize(self.activation),
        }
