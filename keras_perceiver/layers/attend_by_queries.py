"""Exact multi-head attention whose memory does not grow with queries times inputs.

It loops over the queries: a chunk of queries attends to all inputs at a time, and the backward pass
recomputes the attention weights. For few queries and many inputs, `attend_by_inputs` needs less
memory.
"""

from keras import ops

from keras_perceiver.layers import steps
from keras_perceiver.layers.dropped_weights import counted, kept_weights
from keras_perceiver.layers.precision import wide, wide_dtype
from keras_perceiver.layers.scores import (
    as_floats,
    by_heads,
    d_scores,
    joined_heads,
    logsumexp,
    mean_gains,
    of_example,
    scores,
    softmax,
    swap,
    weighted,
)

READS = 256  # a chunk has at least half as many rows: in smaller ones, loading the keys dominates


def attend_by_queries(q, k, v, num_heads=1, masks=(), dropout=0.0, seed=None, budget=None):
    """softmax(q . k) v for each head, a chunk of the queries at a time.

    Args:
        q: Scaled queries `(batch, n, heads * width)`.
        k: Keys `(batch, m, heads * width)`.
        v: Values `(batch, m, heads * value_width)`.
        num_heads: Number of heads.
        masks: Booleans `(batch, n, m)`, `(batch, n, 1)` or `(batch, 1, m)`, all of which must be
            True where a query may attend. If all inputs are masked, all weights are equal.
        dropout: Share of the weights set to zero; the others are scaled by 1 / (1 - dropout).
        seed: Whole number below 2**24 that determines the dropped weights.
        budget: Largest size in bytes of the scores that are computed at a time; see `steps`.

    Returns:
        Floats `(batch, n, heads * value_width)`.
    """
    batch, n, _ = ops.shape(q)
    plan = steps.plan(batch, n, num_heads, ops.shape(k)[1], budget, READS)

    @ops.custom_gradient
    def attend(q, k, v, seed, *masks):  # JAX: a custom gradient must not close over arrays
        k, v, key_index = by_heads(k, num_heads), by_heads(v, num_heads), counted(k)
        # Masks are not broadcast, to keep them small.
        of_rows = [x for x in masks if x.shape[1] != 1]
        of_all = [x for x in masks if x.shape[1] == 1]
        of_queries = (q, counted(q), *of_rows)

        def tile(example, q, index, *of_rows):
            """For a chunk of queries and all inputs: q, k, v by heads, scores, dropout factors."""
            q, k_, v_ = by_heads(q, num_heads), of_example(k, example), of_example(v, example)
            s = scores(q, k_, [*of_rows, *(of_example(x, example) for x in of_all)])
            keys = of_example(key_index, example)
            keep = kept_weights(dropout, seed, example, batch, num_heads, index, keys)
            return q, k_, v_, s, keep

        def output(example, *of_queries):
            _, _, v, s, keep = tile(example, *of_queries)
            return joined_heads(weighted(softmax(s) * keep, v))

        outputs = plan.in_steps(output, *of_queries)

        def gradient(*args, upstream=None):
            u = ops.cast(args[0] if upstream is None else upstream, v.dtype)
            mean_gain = mean_gains(u, outputs, num_heads)

            def for_queries(example, u, mean, *of_queries):
                _, k, v, s, keep = tile(example, *of_queries)
                weights = softmax(s)
                d_s = d_scores(weights, by_heads(u, num_heads), v, keep, mean)
                return joined_heads(ops.matmul(d_s, k)), swap(logsumexp(s, weights)[..., 0])

            def for_keys(so_far, example, u, mean, lse, *of_queries):
                d_k, d_v = so_far
                q, _, v, s, keep = tile(example, *of_queries)
                weights, u = ops.exp(s - swap(lse)[..., None]), by_heads(u, num_heads)
                d_s = d_scores(weights, u, v, keep, mean)
                d_k = d_k + wide(ops.matmul(swap(d_s), q))
                return d_k, d_v + wide(weighted(swap(weights * keep), u))

            d_q, lse = plan.in_steps(for_queries, u, mean_gain, *of_queries)
            zeros = tuple(ops.zeros_like(x, dtype=wide_dtype(x)) for x in (k, v))
            found = plan.accumulate(for_keys, zeros, u, mean_gain, lse, *of_queries)
            d_k, d_v = (ops.cast(joined_heads(x), q.dtype) for x in found)
            return d_q, d_k, d_v, *map(ops.zeros_like, (seed, *masks))

        return outputs, gradient

    return attend(q, k, v, *as_floats(seed, masks, "bfloat16"))
