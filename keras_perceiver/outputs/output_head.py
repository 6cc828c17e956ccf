"""The last layer of most outputs: from decoded queries to values."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.initializers import get_initializer, plain_linear_init


@keras.saving.register_keras_serializable(package="keras_perceiver")
class OutputHead(keras.layers.Layer):
    """A dense layer applied to each decoded query, and a constant factor.

    Args:
        output_dim: Width of the dense layer.
        hidden_dim: Width of a dense tanh layer before it, or None for no such layer.
        scale: Constant factor for the result, above 0.
        kernel_initializer: Default: a truncated normal with stddev 1/sqrt(fan_in).

    Call arguments:
        inputs: Decoded queries `(batch, num_queries, dim)`, or one vector `(batch, dim)`.

    Returns:
        Array of shape `(batch, num_queries, output_dim)` or `(batch, output_dim)`, of at least
        float32, as losses need.
    """

    def __init__(
        self,
        output_dim,
        scale=1.0,
        hidden_dim=None,
        kernel_initializer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.output_dim = arguments.whole_number("output_dim", output_dim)
        self.scale = arguments.number("scale", scale, above=0)
        self.hidden_dim = arguments.optional_whole_number("hidden_dim", hidden_dim)
        self.kernel_initializer = get_initializer("kernel_initializer", kernel_initializer)

    def build(self, input_shape):
        kernel_initializer = self.kernel_initializer or plain_linear_init()
        if self.hidden_dim is not None:
            self.hidden_layer = keras.layers.Dense(
                self.hidden_dim,
                activation="tanh",
                kernel_initializer="lecun_normal",
                dtype=self.dtype_policy,
                name="hidden",
            )
            self.hidden_layer.build(input_shape)
            input_shape = (*input_shape[:-1], self.hidden_dim)
        self.output_layer = keras.layers.Dense(
            self.output_dim,
            kernel_initializer=kernel_initializer,
            dtype=self.dtype_policy,
            name="output",
        )
        self.output_layer.build(input_shape)

    def call(self, inputs):
        hidden = inputs if self.hidden_dim is None else self.hidden_layer(inputs)
        outputs = self.output_layer(hidden)
        if outputs.dtype != "float64":
            outputs = ops.cast(outputs, "float32")
        return outputs if self.scale == 1.0 else outputs * self.scale

    def get_config(self):
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
            "scale": self.scale,
            "hidden_dim": self.hidden_dim,
            "kernel_initializer": self.kernel_initializer
            and keras.initializers.serialize(self.kernel_initializer),
        }
