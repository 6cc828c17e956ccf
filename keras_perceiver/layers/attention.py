"""Multi-head attention whose query-key, value and output widths are chosen apart."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.initializers import fresh


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Attention(keras.layers.Layer):
    """Scaled dot-product attention between four dense layers `query`, `key`, `value`, `output`.

    Unlike `keras.layers.MultiHeadAttention`, widths are totals over heads and independent of each
    other, and a query that may attend to nothing gets a zero attention output.

    Args:
        num_heads: Number of heads; must divide `qk_channels` and `v_channels`.
        qk_channels: Total width of queries and keys. Default: the width of `query`.
        v_channels: Total width of values. Default: `qk_channels`.
        output_channels: Width of the result. Default: `v_channels`.
        dropout: Rate of the dropout on the attention weights.
        masked_rows: What a query gets that may attend to nothing: "zero" (DeepMind) gives a zero
            attention output, "uniform" (Hugging Face) the mean of all values.
        kernel_initializer: Initialiser of the four kernels.

    Call arguments:
        query: Array of shape `(batch, num_queries, query_dim)`.
        value: Array of shape `(batch, num_inputs, value_dim)`; keys are made from it too.
        query_mask: Optional booleans `(batch, num_queries)`, True = may attend.
        value_mask: Optional booleans `(batch, num_inputs)`, True = may be attended.
        attention_mask: Optional booleans `(batch, num_queries, num_inputs)`.
        return_attention_scores: If True, the attention weights are returned as well.

    Returns:
        Array of shape `(batch, num_queries, output_channels)`, and if asked the attention weights
        of shape `(batch, num_heads, num_queries, num_inputs)`.

    Raises:
        ValueError: if a width is not divisible by `num_heads`, or a mask has the wrong shape.

    Example:

    >>> latents, pixels = keras.ops.ones((2, 7, 32)), keras.ops.ones((2, 100, 11))
    >>> Attention(num_heads=4, qk_channels=8, v_channels=16)(latents, pixels).shape
    (2, 7, 16)

    Reference: Perceiver (arXiv 2103.03206), section 3.2 and appendix C.
    """

    def __init__(
        self,
        num_heads=1,
        qk_channels=None,
        v_channels=None,
        output_channels=None,
        dropout=0.0,
        masked_rows="zero",
        kernel_initializer="lecun_normal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = arguments.whole_number("num_heads", num_heads)
        for name in ("qk_channels", "v_channels", "output_channels"):
            channels = locals()[name]
            if channels is not None:
                arguments.whole_number(name, channels)
            if channels is not None and name != "output_channels":
                arguments.divisible(name, channels, "num_heads", self.num_heads)
            setattr(self, name, channels)
        self.dropout = arguments.fraction("dropout", dropout)
        self.masked_rows = arguments.one_of("masked_rows", masked_rows, ("zero", "uniform"))
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, query_shape, value_shape):
        arguments.rank_of("query", query_shape, 3, "(batch, num_queries, query_dim)")
        arguments.rank_of("value", value_shape, 3, "(batch, num_inputs, value_dim)")
        qk_channels = self.qk_channels or query_shape[-1]
        v_channels = self.v_channels or qk_channels
        arguments.divisible("qk_channels", qk_channels, "num_heads", self.num_heads)
        arguments.divisible("v_channels", v_channels, "num_heads", self.num_heads)

        def dense(units, name, input_dim):
            layer = keras.layers.Dense(
                units,
                kernel_initializer=fresh(self.kernel_initializer),
                dtype=self.dtype_policy,
                name=name,
            )
            layer.build((None, None, input_dim))
            return layer

        self.query_layer = dense(qk_channels, "query", query_shape[-1])
        self.key_layer = dense(qk_channels, "key", value_shape[-1])
        self.value_layer = dense(v_channels, "value", value_shape[-1])
        self.output_layer = dense(self.output_channels or v_channels, "output", v_channels)
        self.dropout_layer = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def call(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        allowed = self._allowed(query, value, query_mask, value_mask, attention_mask)
        q = self._split_heads(self.query_layer(query))
        k = self._split_heads(self.key_layer(value))
        v = self._split_heads(self.value_layer(value))
        weights = self._weights(q, k, allowed)
        mixed = ops.matmul(self.dropout_layer(weights, training=training), v)
        outputs = self.output_layer(self._join_heads(mixed))
        return (outputs, weights) if return_attention_scores else outputs

    def _weights(self, q, k, allowed):
        # Scaling the queries touches num_queries x channels numbers, scaling the scores far more.
        scores = ops.matmul(q * (q.shape[-1] ** -0.5), ops.transpose(k, (0, 1, 3, 2)))
        # The softmax sums up to 182,528 terms: more than half precision can count.
        scores = ops.cast(scores, "float32")
        if allowed is not None:
            scores = ops.where(allowed, scores, -1e30)
        if scores.shape[-1] == 1:
            weights = 0.0 * scores + 1.0  # `ops.softmax` takes one key for a mistake and warns
        else:
            weights = ops.softmax(scores, axis=-1)
        if allowed is not None and self.masked_rows == "zero":
            some_allowed = ops.any(allowed, axis=-1, keepdims=True)
            weights = weights * ops.cast(some_allowed, "float32")
        return ops.cast(weights, self.compute_dtype)

    def _allowed(self, query, value, query_mask, value_mask, attention_mask):
        """All masks as one that broadcasts to (batch, heads, num_queries, num_inputs), or None."""
        batch, num_queries, num_inputs = query.shape[0], query.shape[1], value.shape[1]
        allowed = None
        for name, mask, wanted, new_axes in (
            ("query_mask", query_mask, (batch, num_queries), (1, 3)),
            ("value_mask", value_mask, (batch, num_inputs), (1, 2)),
            ("attention_mask", attention_mask, (batch, num_queries, num_inputs), (1,)),
        ):
            if mask is None:
                continue
            arguments.mask_shape(name, mask.shape, wanted)
            mask = ops.expand_dims(ops.cast(mask, "bool"), new_axes)
            allowed = mask if allowed is None else ops.logical_and(allowed, mask)
        return allowed

    def _split_heads(self, x):
        x = ops.reshape(x, (-1, ops.shape(x)[1], self.num_heads, x.shape[-1] // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def _join_heads(self, x):
        x = ops.transpose(x, (0, 2, 1, 3))
        return ops.reshape(x, (-1, ops.shape(x)[1], x.shape[-1] * self.num_heads))

    def compute_mask(self, query, previous_mask):
        return previous_mask

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "qk_channels": self.qk_channels,
            "v_channels": self.v_channels,
            "output_channels": self.output_channels,
            "dropout": self.dropout,
            "masked_rows": self.masked_rows,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
