"""Multi-head attention with independent query-key, value and output widths."""

import functools

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.attend_by_inputs import attend_by_inputs
from keras_perceiver.layers.attend_by_queries import attend_by_queries
from keras_perceiver.layers.fused_attention import can_fuse, fused_attention
from keras_perceiver.layers.initializers import fresh, get_initializer
from keras_perceiver.layers.on_rows import on_rows
from keras_perceiver.layers.precision import wide
from keras_perceiver.layers.scores import by_heads, joined_heads, masked, softmax
from keras_perceiver.layers.ways import too_many_scores


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Attention(keras.layers.Layer):
    """Scaled dot-product attention between four dense layers `query`, `key`, `value`, `output`.

    Unlike in `keras.layers.MultiHeadAttention`, widths are totals over heads and independent of
    each other, and a query whose keys are all masked gets a zero attention output.

    Args:
        num_heads: Number of heads; must divide `qk_channels` and `v_channels`.
        qk_channels: Total width of queries and keys. Default: the width of `query`.
        v_channels: Total width of values. Default: `qk_channels`.
        output_channels: Width of the result. Default: `v_channels`.
        dropout: Dropout rate for the attention weights.
        masked_rows: Attention output of a query whose keys are all masked: "zero" (DeepMind), or
            "uniform" (Hugging Face), the mean of all values.
        kernel_initializer: Initialiser of the four kernels.
        chunked: Whether scores are computed in chunks and not kept, which gives the same results
            with less memory. Default: only if all scores would take more than 64 MiB per example.
            Unless True, a fused kernel of the backend is used where it has one: in half precision
            on a GPU, without masks and dropout, if queries and values are equally wide.

    Call arguments:
        query: Array of shape `(batch, num_queries, query_dim)`.
        value: Array of shape `(batch, num_inputs, value_dim)`; keys are computed from it too.
        query_mask: Optional booleans `(batch, num_queries)`, True = may attend.
        value_mask: Optional booleans `(batch, num_inputs)`, True = may be attended.
        attention_mask: Optional booleans `(batch, num_queries, num_inputs)`.
        return_attention_scores: If True, the attention weights are returned as well.
        keys_values: Cached result of the method `keys_values` for `value`.
        value_norm: Optional `LayerNorm` that is applied to `value` first. If few queries attend to
            many inputs in chunks, each chunk is normalised when it is used, and not kept.
        residual: Optional array `(batch, num_queries, output_channels)`, which is added to the
            result.

    Returns:
        Array of shape `(batch, num_queries, output_channels)`, and with `return_attention_scores`
        the attention weights of shape `(batch, num_heads, num_queries, num_inputs)`.

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
        chunked=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.chunked = arguments.optional_flag("chunked", chunked)
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
        self.kernel_initializer = get_initializer("kernel_initializer", kernel_initializer)
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
        keys_values=None,
        value_norm=None,
        residual=None,
        training=None,
    ):
        masks = self._masks(query, value, query_mask, value_mask, attention_mask)
        q = self._scaled_queries(query)
        fused = not return_attention_scores and self._can_fuse(q, masks, training)
        chunked = not (return_attention_scores or fused) and self._in_chunks(q, value)
        if chunked and keys_values is None and self._can_chunk_inputs(q, value, masks):
            projection, options = self._projection(value_norm), self._options(masks, training)
            mixed = attend_by_inputs(q, value, *projection, **options)
            mixed = self._with_masked_rows(mixed, None, masks)
            return on_rows(self.output_layer, mixed, residual)
        if keys_values is None:
            keys_values = self.keys_values(value if value_norm is None else value_norm(value))
        k, v = keys_values
        if fused:
            return on_rows(self.output_layer, fused_attention(q, k, v, self.num_heads), residual)
        if chunked:
            mixed = attend_by_queries(q, k, v, **self._options(masks, training))
            mixed = self._with_masked_rows(mixed, v, masks)
            return on_rows(self.output_layer, mixed, residual)
        q, k, v = (by_heads(x, self.num_heads) for x in (q, k, v))
        weights = self._weights(q, k, self._allowed(masks))
        mixed = ops.matmul(self.dropout_layer(weights, training=training), v)
        outputs = on_rows(self.output_layer, joined_heads(mixed), residual)
        return (outputs, weights) if return_attention_scores else outputs

    def keys_values(self, value):
        """Keys and values, which can be cached for several calls with the same `value`."""
        return tuple(on_rows(layer, value) for layer in (self.key_layer, self.value_layer))

    def weights_to(self, keys, query, query_mask=None, value_mask=None):
        """The attention weights alone, `(batch, num_heads, num_queries, num_inputs)`.

        Args:
            keys: The result of `key_layer` for the inputs, `(batch, num_inputs, qk_channels)`.
            query, query_mask, value_mask: As in a call.
        """
        masks = self._masks(query, keys, query_mask, value_mask, None)
        q = self._scaled_queries(query)
        q, k = (by_heads(x, self.num_heads) for x in (q, keys))
        return self._weights(q, k, self._allowed(masks))

    def _scaled_queries(self, query):
        # Scaling the queries is cheaper than scaling the scores, which are many more numbers.
        q = on_rows(self.query_layer, query)
        return q * ((q.shape[-1] // self.num_heads) ** -0.5)

    def _can_fuse(self, q, masks, training):
        excluded = masks or (self.dropout and training) or self.chunked
        return not excluded and can_fuse(q, self.value_layer.units, self.num_heads)

    def _in_chunks(self, q, value):
        if self.chunked is not None:
            return self.chunked
        return too_many_scores(self.num_heads, q.shape[1], value.shape[1])

    def _can_chunk_inputs(self, q, value, masks):
        """Whether there are fewer queries than inputs, and kernels are floating point."""
        n, m = q.shape[1], value.shape[1]
        few = n is not None and (m is None or n < m)
        layers = (self.key_layer, self.value_layer)
        return (
            few
            and all(layer.quantization_mode is None for layer in layers)
            and not (masks and self.masked_rows == "uniform")
        )

    def _projection(self, norm):
        """Kernel and bias from normalised inputs to keys and values, and the norm's epsilon."""
        layers = (self.key_layer, self.value_layer)
        kernel, bias = (
            ops.concatenate([wide(weight) for weight in weights], axis=-1)
            for weights in zip(*((layer.kernel, layer.bias) for layer in layers))
        )
        if norm is None:
            return kernel, bias
        gamma, beta = wide(norm.gamma), wide(norm.beta)
        return gamma[:, None] * kernel, bias + ops.matmul(beta, kernel), norm.epsilon

    def _options(self, masks, training):
        """The arguments that `attend_by_queries` and `attend_by_inputs` share."""
        options = {"num_heads": self.num_heads, "masks": [mask[:, 0] for mask in masks]}
        if self.dropout and training:
            options["dropout"] = self.dropout
            generator = self.dropout_layer.seed_generator
            options["seed"] = keras.random.randint((), 0, 2**24, seed=generator)
        return options

    def _with_masked_rows(self, mixed, v, masks):
        """`mixed`, with the output of `masked_rows` for queries whose keys are all masked."""
        if not masks:
            return mixed
        some_allowed = ops.any(self._allowed(masks)[:, 0], axis=-1, keepdims=True)
        uniform = self.masked_rows == "uniform"
        otherwise = ops.mean(v, axis=1, keepdims=True) if uniform else ops.zeros_like(mixed)
        return ops.where(some_allowed, mixed, otherwise)

    def _weights(self, q, k, allowed):
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))
        # The softmax sums up to 182,528 terms, too many for half precision.
        weights = softmax(masked(wide(scores), allowed))
        if allowed is not None and self.masked_rows == "zero":
            some_allowed = ops.any(allowed, axis=-1, keepdims=True)
            weights = weights * ops.cast(some_allowed, weights.dtype)
        return ops.cast(weights, self.compute_dtype)

    def _masks(self, query, value, query_mask, value_mask, attention_mask):
        """The given masks, which broadcast to (batch, heads, num_queries, num_inputs)."""
        batch, num_queries, num_inputs = query.shape[0], query.shape[1], value.shape[1]
        value_batch = value.shape[0]
        masks = []
        for name, mask, wanted, new_axes in (
            ("query_mask", query_mask, (batch, num_queries), (1, 3)),
            ("value_mask", value_mask, (value_batch, num_inputs), (1, 2)),
            ("attention_mask", attention_mask, (batch, num_queries, num_inputs), (1,)),
        ):
            if mask is not None:
                arguments.mask_shape(name, mask.shape, wanted)
                masks.append(ops.expand_dims(ops.cast(mask, "bool"), new_axes))
        return masks

    def _allowed(self, masks):
        """All masks combined, or None."""
        return functools.reduce(ops.logical_and, masks) if masks else None

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
            "chunked": self.chunked,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
