"""Transformers' Perceiver with PyTorch's fused attention in place of its own."""

from torch import nn
from transformers.models.perceiver.modeling_perceiver import PerceiverSelfAttention


def forward(
    self,
    hidden_states,
    attention_mask=None,
    inputs=None,
    inputs_mask=None,
    output_attentions=False,
):
    """The same results but for rounding; dropout is not supported, attention is not returned."""
    hidden_states, mask = self.layernorm1(hidden_states), attention_mask
    read = hidden_states
    if inputs is not None:
        read, mask = self.layernorm2(inputs), inputs_mask
    q = self.transpose_for_scores(self.query(hidden_states), self.qk_channels_per_head)
    k = self.transpose_for_scores(self.key(read), self.qk_channels_per_head)
    v = self.transpose_for_scores(self.value(read), self.v_channels_per_head)
    mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return (mixed.transpose(1, 2).flatten(2),)


def fuse_attention():
    """Replaces the attention of all Perceivers of this process."""
    PerceiverSelfAttention.forward = forward
