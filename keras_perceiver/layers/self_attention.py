"""The self-attention block of the latent Transformer."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.attention_block import AttentionBlock


@keras.saving.register_keras_serializable(package="keras_perceiver")
class SelfAttention(AttentionBlock):
    """One layer of the latent Transformer: pre-norm self-attention, then a feed-forward block.

    Args:
        num_heads: Number of heads; must divide the query-key and value widths.
        qk_channels: Width of queries and keys. Default: the width of the inputs.
        v_channels: Width of values. Default: `qk_channels`.
        widening_factor: Hidden width of the feed-forward block, as a multiple of the input width.
        dropout: Dropout rate for the outputs of attention and feed-forward block.
        attention_dropout: Dropout rate for the attention weights.
        activation: "gelu_tanh" (DeepMind), "gelu_erf" (Hugging Face) or any Keras activation.
        masked_rows: Attention output of a row whose keys are all masked: "zero" or "uniform".
        kernel_initializer: Initialiser of all kernels.
        chunked: Whether scores are computed in chunks and not kept; see `Attention`.

    Call arguments:
        inputs: Array of shape `(batch, length, channels)`.
        mask: Optional booleans `(batch, length)`; rows with False neither attend nor are attended.
        attention_mask: Optional booleans `(batch, length, length)`.
        return_attention_scores: If True, the attention weights are returned as well.

    Returns:
        Array of the shape of `inputs`, and with `return_attention_scores` the attention weights of
        shape `(batch, num_heads, length, length)`.

    Raises:
        ValueError: if a width is not divisible by `num_heads`, a mask has the wrong shape, or an
            argument is out of range.

    Example:

    >>> SelfAttention(num_heads=8)(keras.ops.ones((2, 7, 64))).shape
    (2, 7, 64)

    Reference: Perceiver (arXiv 2103.03206), section 3.2 ("latent Transformer").
    """

    def __init__(self, num_heads=8, qk_channels=None, v_channels=None, **kwargs):
        super().__init__(num_heads, qk_channels, v_channels, **kwargs)

    def build(self, input_shape):
        arguments.rank_of("inputs", input_shape, 3, "(batch, length, channels)")
        self.attention_norm = self._make_norm("attention_norm", input_shape)
        self._build_after_norms(input_shape, input_shape, self.qk_channels)

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
        # Dropout is applied before the residual is added.
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
        outputs = self._fed_forward(outputs, training)
        return (outputs, scores) if return_attention_scores else outputs
