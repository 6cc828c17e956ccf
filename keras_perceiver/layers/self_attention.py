"""The self-attention block of the latent Transformer."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.activations import get_activation, serialize_activation
from keras_perceiver.layers.attention import Attention
from keras_perceiver.layers.feed_forward import FeedForward
from keras_perceiver.layers.initializers import fresh
from keras_perceiver.layers.layer_norm import LayerNorm


@keras.saving.register_keras_serializable(package="keras_perceiver")
class SelfAttention(keras.layers.Layer):
    """One layer of the latent Transformer: pre-norm self-attention, then a feed-forward block.

    Args:
        num_heads: Number of heads; must divide the query-key and value widths.
        qk_channels: Width of queries and keys. Default: the width of the inputs.
        v_channels: Width of values. Default: `qk_channels`.
        widening_factor: Hidden width of the feed-forward block over the width of the inputs.
        dropout: Rate of the dropout on the outputs of attention and feed-forward.
        attention_dropout: Rate of the dropout on the attention weights.
        activation: "gelu_tanh" (DeepMind), "gelu_erf" (Hugging Face) or any Keras activation.
        masked_rows: What a row reads that may attend to nothing: "zero" or "uniform".
        kernel_initializer: Initialiser of all kernels.
        chunked: Whether scores are computed a few at a time and never kept; see `Attention`.

    Call arguments:
        inputs: Array of shape `(batch, length, channels)`.
        mask: Optional booleans `(batch, length)`; False neither attends nor is attended.
        attention_mask: Optional booleans `(batch, length, length)`.
        return_attention_scores: If True, the attention weights are returned as well.

    Returns:
        Array of the shape of `inputs`, and if asked the attention weights of shape
        `(batch, num_heads, length, length)`.

    Raises:
        ValueError: if a width is not divisible by `num_heads`, a mask has the wrong shape, or an
            argument is out of range.

    Example:

    >>> SelfAttention(num_heads=8)(keras.ops.ones((2, 7, 64))).shape
    (2, 7, 64)

    Reference: Perceiver (arXiv 2103.03206), section 3.2 ("latent Transformer").
    """

    def __init__(
        self,
        num_heads=8,
        qk_channels=None,
        v_channels=None,
        widening_factor=1,
        dropout=0.0,
        attention_dropout=0.0,
        activation="gelu_tanh",
        masked_rows="zero",
        kernel_initializer="lecun_normal",
        chunked=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = arguments.whole_number("num_heads", num_heads)
        self.qk_channels = qk_channels
        self.v_channels = v_channels
        self.widening_factor = arguments.whole_number("widening_factor", widening_factor)
        self.dropout = arguments.fraction("dropout", dropout)
        self.attention_dropout = arguments.fraction("attention_dropout", attention_dropout)
        self.activation = get_activation(activation)
        self.masked_rows = masked_rows
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.chunked = chunked
        self.supports_masking = True
        self._make_attention()  # so that bad widths are answered here, not in build

    def _make_attention(self, output_channels=None):
        return Attention(
            num_heads=self.num_heads,
            qk_channels=self.qk_channels,
            v_channels=self.v_channels,
            output_channels=output_channels,
            dropout=self.attention_dropout,
            masked_rows=self.masked_rows,
            chunked=self.chunked,
            kernel_initializer=fresh(self.kernel_initializer),
            dtype=self.dtype_policy,
            name="attention",
        )

    def build(self, input_shape):
        arguments.rank_of("inputs", input_shape, 3, "(batch, length, channels)")

        def norm(name):
            layer = LayerNorm(dtype=self.dtype_policy, name=name)
            layer.build(input_shape)
            return layer

        self.attention_norm = norm("attention_norm")
        self.attention = self._make_attention(input_shape[-1])
        self.attention.build(input_shape, input_shape)
        self.feed_forward_norm = norm("feed_forward_norm")
        self.feed_forward = FeedForward(
            widening_factor=self.widening_factor,
            activation=self.activation,
            dropout=self.dropout,
            kernel_initializer=fresh(self.kernel_initializer),
            dtype=self.dtype_policy,
            name="feed_forward",
        )
        self.feed_forward.build(input_shape)
        self.dropout_layer = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def call(
        self,
        inputs,
        mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        if mask is not None:
            arguments.mask_shape("mask", mask.shape, inputs.shape[:2])
        normed = self.attention_norm(inputs)
        # What is dropped is dropped before the residual is added.
        dropping = self.dropout and training
        read = self.attention(
            normed,
            normed,
            query_mask=mask,
            value_mask=mask,
            attention_mask=attention_mask,
            return_attention_scores=return_attention_scores,
            residual=None if dropping else inputs,
            training=training,
        )
        outputs, scores = read if return_attention_scores else (read, None)
        if dropping:
            outputs = inputs + self.dropout_layer(outputs, training=training)
        normed = self.feed_forward_norm(outputs)
        outputs = self.feed_forward(normed, residual=outputs, training=training)
        return (outputs, scores) if return_attention_scores else outputs

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "qk_channels": self.qk_channels,
            "v_channels": self.v_channels,
            "widening_factor": self.widening_factor,
            "dropout": self.dropout,
            "attention_dropout": self.attention_dropout,
            "activation": serialize_activation(self.activation),
            "masked_rows": self.masked_rows,
            "chunked": self.chunked,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
