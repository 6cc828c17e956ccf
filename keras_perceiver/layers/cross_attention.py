"""The cross-attention block: one array attends to another."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.attention_block import AttentionBlock


@keras.saving.register_keras_serializable(package="keras_perceiver")
class CrossAttention(AttentionBlock):
    """A query array attends to an input array: the block with which Perceivers scale.

    Both arrays are normalised, the queries attend to the inputs, the result is added to the
    (un-normalised) queries, and a feed-forward block with its own normalisation and residual
    follows. In the encoder the queries are the latents, in the decoder the output queries.

    Args:
        num_heads: Number of heads; must divide the query-key and value widths.
        qk_channels: Width of queries and keys. Default: see `default_channels`.
        v_channels: Width of values. Default: `qk_channels`.
        default_channels: The array whose width is the default of `qk_channels`: "value" (every
            published model) or "query".
        widening_factor: Hidden width of the feed-forward block, as a multiple of the query width.
        use_query_residual: Whether the queries are added to the attention output. Without this
            residual, queries affect the output only through the attention weights (some decoders).
        dropout: Dropout rate for the outputs of attention and feed-forward block.
        attention_dropout: Dropout rate for the attention weights.
        activation: "gelu_tanh" (DeepMind), "gelu_erf" (Hugging Face) or any Keras activation.
        masked_rows: Attention output of a query whose keys are all masked: "zero" or "uniform".
        kernel_initializer: Initialiser of all kernels.
        chunked: Whether scores are computed in chunks and not kept; see `Attention`.

    Call arguments:
        query: Array of shape `(batch, num_queries, query_dim)`.
        value: Array of shape `(batch, num_inputs, value_dim)`.
        query_mask: Optional booleans `(batch, num_queries)`, True = may attend.
        value_mask: Optional booleans `(batch, num_inputs)`, True = may be attended.
        attention_mask: Optional booleans `(batch, num_queries, num_inputs)`.
        return_attention_scores: If True, the attention weights are returned as well.
        keys_values, return_keys_values: For several calls with the same `value`, so that keys and
            values are computed once: the first call, with `return_keys_values=True`, returns a pair
            of its usual result and the keys and values, which later calls take as `keys_values`.

    Returns:
        Array of shape `(batch, num_queries, query_dim)`, and with `return_attention_scores` the
        attention weights of shape `(batch, num_heads, num_queries, num_inputs)`.

    Raises:
        ValueError: if a width is not divisible by `num_heads`, a mask has the wrong shape, or an
            argument is out of range.

    Example:

    >>> latents, pixels = keras.ops.ones((2, 512, 1024)), keras.ops.ones((2, 50176, 261))
    >>> CrossAttention()(latents, pixels).shape
    (2, 512, 1024)

    Reference: Perceiver (arXiv 2103.03206), section 3.2; Perceiver IO (arXiv 2107.14795),
    section 3 and appendix E.
    """

    def __init__(
        self,
        num_heads=1,
        qk_channels=None,
        v_channels=None,
        *,
        default_channels="value",
        use_query_residual=True,
        **kwargs,
    ):
        super().__init__(num_heads, qk_channels, v_channels, **kwargs)
        self.default_channels = arguments.one_of(
            "default_channels", default_channels, ("value", "query")
        )
        self.use_query_residual = arguments.flag("use_query_residual", use_query_residual)

    def build(self, query_shape, value_shape):
        arguments.rank_of("query", query_shape, 3, "(batch, num_queries, query_dim)")
        arguments.rank_of("value", value_shape, 3, "(batch, num_inputs, value_dim)")
        default = value_shape[-1] if self.default_channels == "value" else query_shape[-1]
        self.query_norm = self._make_norm("query_norm", query_shape)
        self.value_norm = self._make_norm("value_norm", value_shape)
        self._build_after_norms(query_shape, value_shape, self.qk_channels or default)

    def call(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        keys_values=None,
        return_keys_values=False,
        training=None,
    ):
        if return_keys_values:
            keys_values = self.attention.keys_values(self.value_norm(value))
        read = self.attention(
            self.query_norm(query),
            value,
            query_mask=query_mask,
            value_mask=value_mask,
            attention_mask=attention_mask,
            return_attention_scores=return_attention_scores,
            keys_values=keys_values,
            value_norm=self.value_norm,
            training=training,
        )
        read, scores = read if return_attention_scores else (read, None)
        outputs = self._after_reading(query, read, training)
        found = (outputs, scores) if return_attention_scores else outputs
        return (found, keys_values) if return_keys_values else found

    # Methods that the separable subclasses use too.

    def _after_reading(self, query, read, training):
        """The rest of the block after the attention; `query` is used only for the residual."""
        read = self.dropout_layer(read, training=training)
        outputs = query + read if self.use_query_residual else read
        return self._fed_forward(outputs, training)

    def _require_one_head(self):
        if self.num_heads != 1 or self.attention_dropout:
            raise ValueError(
                "`num_heads` must be 1 and `attention_dropout` 0 for separable attention. "
                f"Received: num_heads={self.num_heads}, attention_dropout={self.attention_dropout}"
            )

    def _check_masks(self, query_shape, value_shape, query_mask, value_mask):
        """Raises ValueError unless the masks have the shape `(batch, length)` of their arrays."""
        if query_mask is not None:
            arguments.mask_shape("query_mask", query_mask.shape, query_shape)
        if value_mask is not None:
            arguments.mask_shape("value_mask", value_mask.shape, value_shape)

    def _quantized(self):
        """Whether kernels are quantized, so that queries or keys cannot be folded with them."""
        return self.attention.key_layer.quantization_mode is not None

    def compute_output_spec(self, query, value, *args, **kwargs):
        others = (*args, *kwargs.values())
        if any(argument is not None and argument is not False for argument in others):
            return super().compute_output_spec(query, value, *args, **kwargs)
        return keras.KerasTensor(query.shape, self.compute_dtype)  # known without tracing `call`

    def compute_mask(self, query, previous_mask):
        return previous_mask

    def get_config(self):
        return {
            **super().get_config(),
            "default_channels": self.default_channels,
            "use_query_residual": self.use_query_residual,
        }
