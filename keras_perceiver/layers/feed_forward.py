"""The two-layer perceptron of every block."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.activations import get_activation, serialize_activation
from keras_perceiver.layers.initializers import fresh, get_initializer
from keras_perceiver.layers.on_rows import on_rows


@keras.saving.register_keras_serializable(package="keras_perceiver")
class FeedForward(keras.layers.Layer):
    """Dense to `widening_factor` times the width, GELU, dense back to the width, dropout.

    Args:
        widening_factor: Hidden width as a multiple of the input width. All published models use 1;
            the paper's "config B" uses 4.
        activation: "gelu_tanh" (DeepMind), "gelu_erf" (Hugging Face), or any Keras activation.
        dropout: Dropout rate for the output, in [0, 1).
        kernel_initializer: Initialiser of both kernels.

    Call arguments:
        inputs: Array of shape `(..., channels)`.
        residual: Optional array of the shape of `inputs`, which is added to the result.

    Returns:
        Array of the shape of `inputs`.

    Raises:
        ValueError: if `widening_factor` is not a whole number of at least 1, or `dropout` is
            outside [0, 1).

    Example:

    >>> FeedForward(widening_factor=4)(keras.ops.ones((2, 7, 12))).shape
    (2, 7, 12)

    Reference: Perceiver (arXiv 2103.03206), appendix C; Perceiver IO (arXiv 2107.14795),
    appendix E.
    """

    def __init__(
        self,
        widening_factor=1,
        activation="gelu_tanh",
        dropout=0.0,
        kernel_initializer="lecun_normal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.widening_factor = arguments.whole_number("widening_factor", widening_factor)
        self.activation = get_activation(activation)
        self.dropout = arguments.fraction("dropout", dropout)
        self.kernel_initializer = get_initializer("kernel_initializer", kernel_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        if len(input_shape) < 2:
            raise ValueError(
                "`inputs` must have shape (batch, ..., channels). Received: inputs of shape "
                f"{tuple(input_shape)}"
            )
        channels = input_shape[-1]

        def dense(units, name, activation=None):
            return keras.layers.Dense(
                units,
                activation=activation,
                kernel_initializer=fresh(self.kernel_initializer),
                dtype=self.dtype_policy,
                name=name,
            )

        self.hidden_layer = dense(self.widening_factor * channels, "hidden", self.activation)
        self.hidden_layer.build(input_shape)
        self.output_layer = dense(channels, "output")
        self.output_layer.build((*input_shape[:-1], self.widening_factor * channels))
        self.dropout_layer = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def call(self, inputs, residual=None, training=None):
        def layers(rows):
            outputs = self.output_layer(self.hidden_layer(rows))
            return self.dropout_layer(outputs, training=training)

        return on_rows(layers, inputs, residual)

    def compute_output_shape(self, inputs_shape, residual_shape=None):
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "widening_factor": self.widening_factor,
            "activation": serialize_activation(self.activation),
            "dropout": self.dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
