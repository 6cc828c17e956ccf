"""Common steps of all ways to compute attention: heads, scores, softmax and their gradients.

Arrays may be those of one example, `(n, ...)`, or of a batch, `(batch, n, ...)`.
"""

from keras import ops

from keras_perceiver.layers import slices
from keras_perceiver.layers.precision import wide

NEVER = -1e30  # the score of masked inputs


def swap(array):
    """Transposes the last two axes."""
    axes = (*range(len(array.shape) - 2), len(array.shape) - 1, len(array.shape) - 2)
    return ops.transpose(array, axes)


def of_example(array, example):
    """One example of a batch, or the whole batch if `example` is None."""
    return array if example is None else array[example]


def by_heads(x, num_heads):
    """`(..., n, heads * width)` as `(..., heads, n, width)`."""
    x = ops.reshape(x, (-1, *ops.shape(x)[1:-1], num_heads, x.shape[-1] // num_heads))
    return _swap_heads(x)


def joined_heads(x):
    """`(..., heads, n, width)` as `(..., n, heads * width)`."""
    x = _swap_heads(x)
    return ops.reshape(x, (-1, *ops.shape(x)[1:-2], x.shape[-2] * x.shape[-1]))


def _swap_heads(x):
    first = range(len(x.shape) - 3)
    return ops.transpose(x, (*first, len(x.shape) - 2, len(x.shape) - 3, len(x.shape) - 1))


def scores(q, k, masks):
    """q . k, at least float32, `(..., heads, n, m)`, and NEVER where a mask `(..., n, m)` is 0."""
    s = wide(ops.matmul(q, swap(k)))
    for mask in masks:
        s = masked(s, ops.expand_dims(ops.cast(mask, "bool"), -3))
    return s


def masked(s, allowed):
    """Sets scores to NEVER where `allowed` is False; None allows everything."""
    return s if allowed is None else ops.where(allowed, s, NEVER)


def softmax(s):
    """Softmax over the last axis, also of length 1, for which `ops.softmax` gives a warning."""
    if s.shape[-1] == 1:
        return 0.0 * s + 1.0  # ones, through which gradients can flow
    return ops.softmax(s, axis=-1)


def logsumexp(s, weights):
    """log(sum(exp(s))) over the last axis (kept), computed from scores and their softmax."""
    return ops.max(s, -1, True) - ops.log(ops.max(weights, -1, True))


def weighted(weights, v):
    """weights . v, multiplied in the precision of `v`."""
    return ops.matmul(ops.cast(weights, v.dtype), v)


# The softmax gradient: d_score = weight * (gain - mean gain), where the gain u . v is the gradient
# of the weight, and the mean is weighted with the attention weights.


def mean_gains(u, outputs, num_heads):
    """The mean gain of each query, `(batch, n, heads)`, for upstream gradients `u`."""
    gains = wide(u) * wide(outputs)
    return ops.sum(ops.reshape(gains, (*ops.shape(u)[:-1], num_heads, -1)), axis=-1)


def d_scores(weights, u, v, keep, mean_gain):
    """The gradient of the scores of several heads."""
    gain = wide(ops.matmul(u, swap(v)))
    return ops.cast(weights * (gain * keep - swap(mean_gain)[..., None]), v.dtype)


def as_floats(seed, masks, dtype):
    """A seed and masks as floats, which have a (zero) gradient on every backend."""
    if slices.are_wanted():
        dtype = "float32"  # LiteRT cannot slice bfloat16
    masks = (ops.cast(mask, dtype) for mask in masks)
    return [ops.cast(0 if seed is None else seed, "float32"), *masks]
