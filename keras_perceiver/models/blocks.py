"""The arguments that all attention blocks of a model share."""


def block_arguments(sizes, dtype, reads=True):
    """Keyword arguments of the attention layers.

    Args:
        sizes: `Sizes`.
        dtype: Dtype policy.
        reads: Whether the block is a cross-attention; "chunked" has no effect on self-attention.
    """
    chunked = {"plain": False, "chunked": True if reads else None}.get(sizes.attention)
    return {
        "dropout": sizes.dropout,
        "attention_dropout": sizes.attention_dropout,
        "activation": sizes.activation,
        "masked_rows": sizes.masked_rows,
        "chunked": chunked,
        "dtype": dtype,
    }
