"""The deep part of a Perceiver, whose cost does not depend on the number of inputs."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.self_attention import SelfAttention


@keras.saving.register_keras_serializable(package="keras_perceiver")
class LatentTransformer(keras.layers.Layer):
    """A stack of self-attention layers over the latents, optionally run several times.

    Args:
        num_self_attends_per_block: Number of self-attention layers, each with its own weights.
        num_blocks: Number of times the whole stack is run, with the same weights.
        num_heads: Number of heads of each layer; must divide the width of the latents.
        qk_channels, v_channels, widening_factor, dropout, attention_dropout, activation,
        masked_rows, kernel_initializer, chunked: As in `SelfAttention`.
        recompute: Whether training keeps only the inputs of each layer, and recomputes its
            activations in the backward pass: less memory for about a third more time. Requires
            `dropout` and `attention_dropout` 0, because dropout would be drawn again.

    Call arguments:
        inputs: Latents of shape `(batch, num_latents, latent_dim)`.
        mask: Optional booleans `(batch, num_latents)`; the papers' models never mask latents.
        return_attention_scores: If True, the attention weights of every layer are returned too.

    Returns:
        Latents of the same shape, and with `return_attention_scores` a list with the attention
        weights `(batch, num_heads, num_latents, num_latents)` of each layer call, in order.

    Raises:
        ValueError: if the width of the latents is not divisible by `num_heads`, or an argument is
            out of range.

    Example (the ImageNet models: 8 runs of 6 layers):

    >>> stack = LatentTransformer(num_self_attends_per_block=6, num_blocks=8)
    >>> stack(keras.ops.ones((2, 7, 64))).shape
    (2, 7, 64)

    Reference: Perceiver (arXiv 2103.03206), section 3.2; Perceiver IO (arXiv 2107.14795),
    appendix A (`num_blocks`).
    """

    def __init__(
        self,
        num_self_attends_per_block=6,
        num_blocks=1,
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
        recompute=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.recompute = arguments.flag("recompute", recompute)
        self.num_self_attends_per_block = arguments.whole_number(
            "num_self_attends_per_block", num_self_attends_per_block
        )
        self.num_blocks = arguments.whole_number("num_blocks", num_blocks)
        self.self_attends = [
            SelfAttention(
                num_heads=num_heads,
                qk_channels=qk_channels,
                v_channels=v_channels,
                widening_factor=widening_factor,
                dropout=dropout,
                attention_dropout=attention_dropout,
                activation=activation,
                masked_rows=masked_rows,
                chunked=chunked,
                kernel_initializer=kernel_initializer,
                dtype=self.dtype_policy,
                name=f"self_attention_{i}",
            )
            for i in range(self.num_self_attends_per_block)
        ]
        if self.recompute and (dropout or attention_dropout):
            raise ValueError(
                "`recompute` must be False with dropout, which would be drawn again. Received: "
                f"recompute=True, dropout={dropout}, attention_dropout={attention_dropout}"
            )
        self.supports_masking = True

    def build(self, input_shape):
        for layer in self.self_attends:
            layer.build(input_shape)

    def call(self, inputs, mask=None, return_attention_scores=False, training=None):
        latents, scores = inputs, []
        for _ in range(self.num_blocks):
            for layer in self.self_attends:
                if return_attention_scores:
                    latents, layer_scores = layer(
                        latents, mask=mask, return_attention_scores=True, training=training
                    )
                    scores.append(layer_scores)
                elif self.recompute and training:
                    latents = _recomputed(layer, mask)(latents)
                else:
                    latents = layer(latents, mask=mask, training=training)
        return (latents, scores) if return_attention_scores else latents

    def compute_output_spec(self, inputs, *args, **kwargs):
        others = (*args, *kwargs.values())
        if any(argument is not None and argument is not False for argument in others):
            return super().compute_output_spec(inputs, *args, **kwargs)
        return keras.KerasTensor(inputs.shape, self.compute_dtype)  # known without tracing `call`

    def get_config(self):
        layer_config = self.self_attends[0].get_config()
        for not_ours in ("name", "trainable", "dtype"):
            layer_config.pop(not_ours)
        return {
            **super().get_config(),
            "num_self_attends_per_block": self.num_self_attends_per_block,
            "num_blocks": self.num_blocks,
            "recompute": self.recompute,
            **layer_config,
        }


def _recomputed(layer, mask):
    return keras.remat(lambda latents: layer(latents, mask=mask, training=True))
