"""Dropout of attention weights, computed from a seed, so that it can be recomputed anywhere."""

from keras import ops

from keras_perceiver.layers.scores import swap


def counted(x):
    """The row numbers of an array `(batch, n, ...)`, of shape `(batch, n, 1)`."""
    batch, n = ops.shape(x)[:2]
    return ops.broadcast_to(ops.arange(n)[None, :, None], (batch, n, 1))


def kept_weights(dropout, seed, example, batch, num_heads, query_index, key_index):
    """The dropout factor of each weight, `(..., heads, n, m)`: 0 or 1 / (1 - dropout).

    Args:
        dropout: Share of the weights set to zero.
        seed: Whole number below 2**24, as a float.
        example: Index of the example, or None for the whole batch.
        batch: Number of examples.
        num_heads: Number of heads.
        query_index, key_index: Whole numbers `(..., n, 1)` and `(..., m, 1)`.

    Returns:
        Floats, or 1.0 without dropout.
    """
    if not dropout:
        return 1.0
    example = ops.arange(batch)[:, None, None, None] if example is None else example
    group = _hash((example * num_heads + ops.arange(num_heads)[:, None, None]) * 374761393)
    row = _hash(group + ops.cast(seed, "int32"))
    row = _hash(query_index[..., None, :, :] * 668265263 + row)
    drawn = _hash(row + swap(key_index)[..., None, :, :] * 1274126177)
    drawn = ops.bitwise_and(drawn, 0xFFFFFF)
    return ops.cast(drawn >= int(dropout * 2**24), "float32") / (1.0 - dropout)


def _hash(x):
    """A hash whose bits look random (MurmurHash3's finalizer)."""
    for shift, bits, factor in ((16, 0xFFFF, -2048144789), (13, 0x7FFFF, -1028477387)):
        x = ops.bitwise_xor(x, ops.bitwise_and(ops.bitwise_right_shift(x, shift), bits))
        x = x * factor
    return ops.bitwise_xor(x, ops.bitwise_and(ops.bitwise_right_shift(x, 16), 0xFFFF))
