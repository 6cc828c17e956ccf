"""Exact multi-head attention whose memory does not grow with queries times inputs."""

from keras import ops

from keras_perceiver.layers import steps
from keras_perceiver.layers.grid_attention import NEVER, of_example, swap
from keras_perceiver.layers.softmax import softmax

LARGE = 64 * 2**20  # bytes; above, the scores of one example are not written out at once


def chunked_attention(q, k, v, masks=(), dropout=0.0, seed=None, budget=None):
    """softmax(q . k) v, a few queries at a time; the gradient computes the weights again.

    Args:
        q: Scaled queries `(batch, heads, n, width)`.
        k: Keys `(batch, heads, m, width)`.
        v: Values `(batch, heads, m, value_width)`.
        masks: Booleans, each broadcastable to `(batch, heads, n, m)`, all of which must be True
            where a query may attend. Where none may be attended, all weigh the same.
        dropout: Share of the weights set to zero; the others grow by 1 / (1 - dropout).
        seed: Whole number below 2**24 from which the dropped weights follow.
        budget: Bytes that the scores computed at one time may take; see `steps`.

    Returns:
        Floats `(batch, heads, n, value_width)`.
    """
    batch, heads, n, _ = ops.shape(q)
    m = ops.shape(k)[2]
    groups = batch * heads

    def grouped(x):
        return ops.reshape(x, (-1, *ops.shape(x)[2:]))

    # Masks are kept as small as they come: (groups, n, 1), (groups, 1, m) or (groups, n, m).
    masks = [grouped(ops.broadcast_to(x, (batch, heads, *ops.shape(x)[2:]))) for x in masks]
    of_queries = steps.plan(groups, n, 1, m, budget, q.shape[-1] + v.shape[-1])
    of_keys = steps.plan(groups, m, 1, n, budget, q.shape[-1] + v.shape[-1])

    def allow(s, masks):
        for mask in masks:
            s = ops.where(mask > 0, s, NEVER)
        return s

    @ops.custom_gradient
    def attend(q, k, v, seed, *masks):  # all arrays come in here: JAX forbids them to leak in
        by_query = [x for x in masks if x.shape[1] != 1 or n == 1]
        by_key = [x for x in masks if not (x.shape[1] != 1 or n == 1)]
        group_index = ops.arange(groups)[:, None, None]
        query_index = ops.broadcast_to(ops.arange(n)[None, :, None], (groups, n, 1))
        key_index = ops.broadcast_to(ops.arange(m)[None, :, None], (groups, m, 1))

        def kept(example, query_index, key_index):
            """What each weight is multiplied with, `(..., n, m)`."""
            if not dropout:
                return None
            group = group_index if example is None else group_index[example]
            row = _hash(
                query_index * 668265263 + _hash(group * 374761393 + ops.cast(seed, "int32"))
            )
            drawn = ops.bitwise_and(_hash(row + swap(key_index) * 1274126177), 0xFFFFFF)
            return ops.cast(drawn >= int(dropout * 2**24), "float32") / (1.0 - dropout)

        def weights_of(example, q, masks):
            s = ops.cast(ops.matmul(q, swap(of_example(k, example))), "float32")
            s = allow(s, [*masks, *(of_example(mask, example) for mask in by_key)])
            return s, softmax(s)

        def answer(example, q, index, *masks):
            weights = weights_of(example, q, masks)[1]
            keep = kept(example, index, of_example(key_index, example))
            weights = weights if keep is None else weights * keep
            return ops.matmul(ops.cast(weights, v.dtype), of_example(v, example))

        answers = of_queries.in_steps(answer, q, query_index, *by_query)

        def gradient(*args, upstream=None):
            u = args[0] if upstream is None else upstream
            u = ops.cast(u, v.dtype)
            mean_gain = ops.sum(ops.cast(u * answers, "float32"), axis=-1, keepdims=True)

            def for_queries(example, q, index, u, mean_gain, *masks):
                s, weights = weights_of(example, q, masks)
                gain = ops.cast(ops.matmul(u, swap(of_example(v, example))), "float32")
                keep = kept(example, index, of_example(key_index, example))
                gain = gain if keep is None else gain * keep
                d_s = ops.cast(weights * (gain - mean_gain), k.dtype)
                d_q = ops.cast(ops.matmul(d_s, of_example(k, example)), "float32")
                lse = ops.max(s, -1, True) - ops.log(ops.max(weights, -1, True))
                return d_q, lse

            d_q, lse = of_queries.in_steps(for_queries, q, query_index, u, mean_gain, *by_query)

            def for_keys(example, k, v, index, *masks):
                q_, u_, lse_, mean_ = [of_example(x, example) for x in (q, u, lse, mean_gain)]
                s = ops.cast(ops.matmul(q_, swap(k)), "float32")
                s = allow(s, [*(of_example(x, example) for x in by_query if x.shape[2] == 1)])
                s = allow(s, [swap(mask) for mask in masks])
                weights = ops.exp(s - lse_)
                keep = kept(example, of_example(query_index, example), index)
                gain = ops.cast(ops.matmul(u_, swap(v)), "float32")
                used = weights if keep is None else weights * keep
                gain = gain if keep is None else gain * keep
                d_s = ops.cast(weights * (gain - mean_), q_.dtype)
                d_v = ops.matmul(swap(ops.cast(used, u_.dtype)), u_)
                return ops.matmul(swap(d_s), q_), d_v

            key_masks = [swap(x) for x in by_key]
            key_masks += [swap(x) for x in by_query if x.shape[2] != 1]
            d_k, d_v = of_keys.in_steps(for_keys, k, v, key_index, *key_masks)
            return ops.cast(d_q, q.dtype), d_k, d_v, *map(ops.zeros_like, (seed, *masks))

        return answers, gradient

    # As floats, which have a gradient (of zero) on every backend.
    others = [
        ops.cast(0 if seed is None else seed, "float32"),
        *(ops.cast(mask, "bfloat16") for mask in masks),
    ]
    found = attend(grouped(q), grouped(k), grouped(v), *others)
    return ops.reshape(found, (batch, heads, n, v.shape[-1]))


def _hash(x):
    """Whole numbers mixed so well that their bits look drawn (MurmurHash3's finalizer)."""
    for shift, bits, factor in ((16, 0xFFFF, -2048144789), (13, 0x7FFFF, -1028477387)):
        x = ops.bitwise_xor(x, ops.bitwise_and(ops.bitwise_right_shift(x, shift), bits))
        x = x * factor
    return ops.bitwise_xor(x, ops.bitwise_and(ops.bitwise_right_shift(x, 16), 0xFFFF))
