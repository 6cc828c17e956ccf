"""The common base of the cross-attention and the self-attention block."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.activations import get_activation, serialize_activation
from keras_perceiver.layers.attention import Attention
from keras_perceiver.layers.feed_forward import FeedForward
from keras_perceiver.layers.initializers import fresh, get_initializer
from keras_perceiver.layers.layer_norm import LayerNorm


class AttentionBlock(keras.layers.Layer):
    """Base of `CrossAttention` and `SelfAttention`: attention, then a feed-forward block.

    The inputs of the attention are normalised first; a feed-forward block with its own
    normalisation and residual follows. Subclasses define the inputs of the attention.

    Args:
        num_heads: Number of heads; must divide the query-key and value widths.
        qk_channels: Width of queries and keys.
        v_channels: Width of values. Default: `qk_channels`.
        widening_factor: Hidden width of the feed-forward block, as a multiple of its width.
        dropout: Dropout rate for the outputs of attention and feed-forward block.
        attention_dropout: Dropout rate for the attention weights.
        activation: "gelu_tanh" (DeepMind), "gelu_erf" (Hugging Face) or any Keras activation.
        masked_rows: Attention output of a query whose keys are all masked: "zero" or "uniform".
        kernel_initializer: Initialiser of all kernels.
        chunked: Whether scores are computed in chunks and not kept; see `Attention`.

    Reference: Perceiver (arXiv 2103.03206), section 3.2.
    """

    def __init__(
        self,
        num_heads=1,
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
        self.kernel_initializer = get_initializer("kernel_initializer", kernel_initializer)
        self.chunked = chunked
        self.supports_masking = True
        self._make_attention(qk_channels)  # checks the widths here, not only in `build`

    def _make_attention(self, qk_channels, output_channels=None):
        return Attention(
            num_heads=self.num_heads,
            qk_channels=qk_channels,
            v_channels=self.v_channels,
            output_channels=output_channels,
            dropout=self.attention_dropout,
            masked_rows=self.masked_rows,
            chunked=self.chunked,
            kernel_initializer=fresh(self.kernel_initializer),
            dtype=self.dtype_policy,
            name="attention",
        )

    def _make_norm(self, name, shape):
        layer = LayerNorm(dtype=self.dtype_policy, name=name)
        layer.build(shape)
        return layer

    def _build_after_norms(self, query_shape, value_shape, qk_channels):
        """Builds attention and feed-forward block, after the norms of the attention's inputs."""
        self.attention = self._make_attention(qk_channels, query_shape[-1])
        self.attention.build(query_shape, value_shape)
        self.feed_forward_norm = self._make_norm("feed_forward_norm", query_shape)
        self.feed_forward = FeedForward(
            widening_factor=self.widening_factor,
            activation=self.activation,
            dropout=self.dropout,
            kernel_initializer=fresh(self.kernel_initializer),
            dtype=self.dtype_policy,
            name="feed_forward",
        )
        self.feed_forward.build(query_shape)
        self.dropout_layer = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def _fed_forward(self, read, training):
        """Applies the feed-forward block, with its norm and residual, to the attention output."""
        return self.feed_forward(self.feed_forward_norm(read), residual=read, training=training)

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
