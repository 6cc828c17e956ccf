"""What the ways to compute attention share: arrays of heads, scores, softmax, their gradients.

Arrays may belong to one example, `(n, ...)`, or to a batch, `(batch, n, ...)`.
"""

from keras import ops

from keras_perceiver.layers.precision import wide

NEVER = -1e30  # the score of what may not be attended


def swap(array):
    """The last two axes the other way round."""
    axes = (*range(len(array.shape) - 2), len(array.shape) - 1, len(array.shape) - 2)
    return ops.transpose(array, axes)


def of_example(array, example):
    """One example's part of a batch, or all of it where `example` is None."""
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
    """q . k of at least float32 `(..., heads, n, m)`, NEVER where a mask `(..., n, m)` is zero."""
    s = wide(ops.matmul(q, swap(k)))
    for mask in masks:
        s = masked(s, ops.expand_dims(mask, -3) > 0)
    return s


def masked(s, allowed):
    """Scores, NEVER where not allowed; `allowed` None allows everything."""
    return s if allowed is None else ops.where(allowed, s, NEVER)


def softmax(s):
    """Over the last axis, which may be of length 1: `ops.softmax` takes that for a mistake."""
    if s.shape[-1] == 1:
        return 0.0 * s + 1.0  # which gradients can pass
    return ops.softmax(s, axis=-1)


def logsumexp(s, weights):
    """log(sum(exp(s))) over the last axis, which is kept, from scores and their softmax."""
    return ops.max(s, -1, True) - ops.log(ops.max(weights, -1, True))


def weighted(weights, v):
    """weights . v, multiplied in the precision of `v`."""
    return ops.matmul(ops.cast(weights, v.dtype), v)


# The gradient of a score: its weight times what the weight gains, less the mean of all gains.


def mean_gains(u, answers, num_heads):
    """The mean gain of each query's weights, `(batch, n, heads)`, for upstream gradients u."""
    gains = wide(u) * wide(answers)
    return ops.sum(ops.reshape(gains, (*ops.shape(u)[:-1], num_heads, -1)), axis=-1)


def d_scores(weights, u, v, keep, mean_gain):
    """The gradient of the scores of several heads; a weight gains u . v."""
    gain = wide(ops.matmul(u, swap(v)))
    return ops.cast(weights * (gain * keep - swap(mean_gain)[..., None]), v.dtype)


def as_floats(seed, masks, dtype):
    """A seed and masks as floats, which have a gradient (of zero) on every backend."""
    masks = (ops.cast(mask, dtype) for mask in masks)
    return [ops.cast(0 if seed is None else seed, "float32"), *masks]
