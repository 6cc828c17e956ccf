"""The decoder of Perceiver IO: output queries attend to the latents."""

import functools

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.cross_attention import CrossAttention
from keras_perceiver.layers.initializers import get_initializer, plain_linear_init
from keras_perceiver.layers.separable_query_attention import SeparableQueryAttention


@keras.saving.register_keras_serializable(package="keras_perceiver")
class OutputQueryDecoder(keras.layers.Layer):
    """One cross-attention from output queries to latents, then one dense layer.

    Each output element is computed only from its own query, so any number of them can be decoded at
    a time.

    Args:
        output_dim: Width of each output, or None to return the decoded queries themselves.
        num_heads: Number of heads of the cross-attention.
        qk_channels: Width of queries and keys. Default: the width of the latents.
        v_channels: Width of values. Default: `qk_channels`.
        widening_factor: Hidden width of the feed-forward block, as a multiple of the query width.
        use_query_residual: Whether the queries are added to the attention output.
        dropout, attention_dropout, activation, masked_rows, kernel_initializer, chunked: As in
            `CrossAttention`.
        position: If given, the `FourierEncoding` of a grid whose cells are the queries; `query`
            then contains the features of the cells; see `SeparableQueryAttention`.
        output_initializer: Initialiser of the last kernel. Default: a truncated normal with stddev
            1/sqrt(fan_in); optical flow uses "zeros".

    Call arguments:
        query: Output queries of shape `(batch, num_queries, query_dim)`.
        value: Latents of shape `(batch, num_latents, latent_dim)`.
        query_mask: Optional booleans `(batch, num_queries)`; a masked query gets zero attention
            output.
        value_mask: Optional booleans `(batch, num_latents)`.
        return_attention_scores: If True, the attention weights are returned as well.

    Returns:
        Array of shape `(batch, num_queries, output_dim)`, and with `return_attention_scores` the
        attention weights of shape `(batch, num_heads, num_queries, num_latents)`.

    Raises:
        ValueError: as `CrossAttention`, or if `output_dim` is not a whole number of at least 1.

    Example:

    >>> queries, latents = keras.ops.ones((2, 1, 64)), keras.ops.ones((2, 7, 32))
    >>> OutputQueryDecoder(output_dim=10)(queries, latents).shape
    (2, 1, 10)

    Reference: Perceiver IO (arXiv 2107.14795), section 3.2 and figure 2.
    """

    def __init__(
        self,
        output_dim=None,
        num_heads=1,
        qk_channels=None,
        v_channels=None,
        widening_factor=1,
        use_query_residual=False,
        dropout=0.0,
        attention_dropout=0.0,
        activation="gelu_tanh",
        masked_rows="zero",
        kernel_initializer="lecun_normal",
        output_initializer=None,
        chunked=None,
        position=None,
        **kwargs,
    ):
        if position is not None:
            kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.position = position
        self.output_dim = output_dim
        if output_dim is not None:
            self.output_dim = arguments.whole_number("output_dim", output_dim)
        if position is None:
            cross_attention = CrossAttention
        else:
            cross_attention = functools.partial(SeparableQueryAttention, position)
        self.cross_attention = cross_attention(
            num_heads=num_heads,
            qk_channels=qk_channels,
            v_channels=v_channels,
            widening_factor=widening_factor,
            use_query_residual=use_query_residual,
            dropout=dropout,
            attention_dropout=attention_dropout,
            activation=activation,
            masked_rows=masked_rows,
            chunked=chunked,
            kernel_initializer=kernel_initializer,
            dtype=self.dtype_policy,
            name="cross_attention",
        )
        self.output_initializer = get_initializer(
            "output_initializer",
            plain_linear_init() if output_initializer is None else output_initializer,
        )
        self.supports_masking = True

    def build(self, query_shape, value_shape):
        self.cross_attention.build(query_shape, value_shape)
        if self.output_dim is not None:
            self.output_layer = keras.layers.Dense(
                self.output_dim,
                kernel_initializer=self.output_initializer,
                dtype=self.dtype_policy,
                name="output",
            )
            self.output_layer.build((None, self.cross_attention.query_norm.gamma.shape[0]))

    def call(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        outputs = self.cross_attention(
            query,
            value,
            query_mask=query_mask,
            value_mask=value_mask,
            return_attention_scores=return_attention_scores,
            training=training,
        )
        outputs, scores = outputs if return_attention_scores else (outputs, None)
        if self.output_dim is not None:
            outputs = self.output_layer(outputs)
        return (outputs, scores) if return_attention_scores else outputs

    def compute_mask(self, query, previous_mask):
        return previous_mask

    def get_config(self):
        config = self.cross_attention.get_config()
        del config["default_channels"]
        position = self.position and keras.saving.serialize_keras_object(self.position)
        return {
            **config,
            **super().get_config(),
            "output_dim": self.output_dim,
            "position": position,
            "output_initializer": keras.initializers.serialize(self.output_initializer),
        }

    @classmethod
    def from_config(cls, config):
        position = config.get("position")
        if position is not None:
            position = keras.saving.deserialize_keras_object(position)
        return cls(**{**config, "position": position})
