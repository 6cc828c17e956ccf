"""Arrays of several heads, and their scores."""

from keras import ops

from keras_perceiver.layers.grid_attention import NEVER, swap


def by_heads(x, num_heads):
    """`(..., n, heads * width)` as `(..., heads, n, width)`."""
    x = ops.reshape(x, (-1, *ops.shape(x)[1:-1], num_heads, x.shape[-1] // num_heads))
    return _swap_heads(x)


def joined_heads(x):
    """`(..., heads, n, width)` as `(..., n, heads * width)`."""
    x = _swap_heads(x)
    return ops.reshape(x, (-1, *ops.shape(x)[1:-2], x.shape[-2] * x.shape[-1]))


def scores(q, k, masks):
    """q . k as float32 `(..., heads, n, m)`, NEVER where one of the masks `(..., n, m)` is zero."""
    s = ops.cast(ops.matmul(q, swap(k)), "float32")
    for mask in masks:
        s = ops.where(ops.expand_dims(mask, -3) > 0, s, NEVER)
    return s


def weighted(weights, v):
    """weights . v, multiplied in the precision of `v`."""
    return ops.matmul(ops.cast(weights, v.dtype), v)


def _swap_heads(x):
    first = range(len(x.shape) - 3)
    return ops.transpose(x, (*first, len(x.shape) - 2, len(x.shape) - 3, len(x.shape) - 1))
