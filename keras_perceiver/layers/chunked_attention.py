"""Exact multi-head attention whose memory does not grow with queries times inputs.

The longer side, queries or inputs, is walked a piece at a time; only the shorter one is ever laid
out by heads. Where inputs are walked, what has been read so far is carried along, with the maximum
and the sum of the exponentials (an online softmax). The gradient computes the weights again.
"""

from keras import ops

from keras_perceiver.layers import steps
from keras_perceiver.layers.grid_attention import NEVER, of_example, swap
from keras_perceiver.layers.softmax import softmax

LARGE = 64 * 2**20  # bytes; above, the scores of one example are not written out at once
READS = 256  # a piece has at least half as many rows: fewer are multiplied faster than read


def chunked_attention(q, k, v, num_heads=1, masks=(), dropout=0.0, seed=None, budget=None):
    """softmax(q . k) v for each head, a piece of the queries or of the inputs at a time.

    Args:
        q: Scaled queries `(batch, n, heads * width)`.
        k: Keys `(batch, m, heads * width)`.
        v: Values `(batch, m, heads * value_width)`.
        num_heads: Number of heads.
        masks: Booleans `(batch, n, m)`, `(batch, n, 1)` or `(batch, 1, m)`, all of which must be
            True where a query may attend. Where none may be attended, all weigh the same.
        dropout: Share of the weights set to zero; the others grow by 1 / (1 - dropout).
        seed: Whole number below 2**24 from which the dropped weights follow.
        budget: Bytes that the scores computed at one time may take; see `steps`.

    Returns:
        Floats `(batch, n, heads * value_width)`.
    """
    batch, n, _ = ops.shape(q)
    m = ops.shape(k)[1]
    few_queries = isinstance(n, int) and (not isinstance(m, int) or n < m)
    by_query = steps.plan(batch, n, num_heads, m, budget, READS)
    by_key = steps.plan(batch, m, num_heads, n, budget, READS)

    def split(x):
        """`(..., n, heads * width)` as `(..., heads, n, width)`."""
        x = ops.reshape(x, (*ops.shape(x)[:-1], num_heads, x.shape[-1] // num_heads))
        return _swap_axes(x, -2, -3)

    def join(x):
        x = _swap_axes(x, -2, -3)
        return ops.reshape(x, (*ops.shape(x)[:-2], num_heads * x.shape[-1]))

    def scores(q, k, masks):
        s = ops.cast(ops.matmul(q, swap(k)), "float32")
        for mask in masks:
            s = ops.where(ops.expand_dims(mask, -3) > 0, s, NEVER)
        return s

    @ops.custom_gradient
    def attend(q, k, v, seed, *masks):  # all arrays come in here: JAX forbids them to leak in
        query_index = _counted(batch, n)
        key_index = _counted(batch, m)

        def kept(example, query_index, key_index):
            """What each weight is multiplied with, `(..., heads, n, m)`."""
            if not dropout:
                return 1.0
            example = ops.arange(batch)[:, None, None, None] if example is None else example
            group = _hash((example * num_heads + ops.arange(num_heads)[:, None, None]) * 374761393)
            row = _hash(query_index[..., None, :, :] * 668265263 + _hash(group + seed_))
            drawn = _hash(row + swap(key_index)[..., None, :, :] * 1274126177)
            drawn = ops.bitwise_and(drawn, 0xFFFFFF)
            return ops.cast(drawn >= int(dropout * 2**24), "float32") / (1.0 - dropout)

        def weighted(weights, v):
            return ops.matmul(ops.cast(weights, v.dtype), v)

        seed_ = ops.cast(seed, "int32")
        # Masks are kept as small as they come; one that has the walked axis is walked too.
        walked = [x for x in masks if x.shape[2 if few_queries else 1] != 1]
        whole = [x for x in masks if x.shape[2 if few_queries else 1] == 1]
        if few_queries:
            walked, q_ = [swap(x) for x in walked], split(q)
            there = [ops.ones((batch, m, 1), "bfloat16")] if by_key.fills_up else []
            walked, number = [*walked, *there], len(walked)
            of_keys = (k, v, key_index, *walked)
        else:
            k_, v_ = split(k), split(v)
            of_queries = (q, query_index, *walked)

        # One piece of the inputs for all queries, or of the queries for all inputs: operands by
        # heads, scores, and what to multiply the weights with.

        def tile_of_keys(example, k, v, index, *walked):
            k, v, q = split(k), split(v), of_example(q_, example)
            walked, there = walked[:number], walked[number:]
            s = scores(q, k, [*(of_example(x, example) for x in whole), *map(swap, walked)])
            for mask in there:
                s = ops.where(ops.expand_dims(swap(mask), -3) > 0, s, 2 * NEVER)
            return q, k, v, s, kept(example, of_example(query_index, example), index)

        def tile_of_queries(example, q, index, *walked):
            q, k, v = split(q), of_example(k_, example), of_example(v_, example)
            s = scores(q, k, [*(of_example(x, example) for x in whole), *walked])
            return q, k, v, s, kept(example, index, of_example(key_index, example))

        def read_more(so_far, example, *of_keys):
            top, total, read = so_far
            _, _, v, s, keep = tile_of_keys(example, *of_keys)
            higher = ops.maximum(top, ops.max(s, axis=-1, keepdims=True))
            weights, fade = ops.exp(s - higher), ops.exp(top - higher)
            total = total * fade + ops.sum(weights, axis=-1, keepdims=True)
            read = read * fade + ops.cast(weighted(weights * keep, v), "float32")
            return higher, total, read

        def read_all(example, *of_queries):
            _, _, v, s, keep = tile_of_queries(example, *of_queries)
            return join(weighted(softmax(s) * keep, v))

        if few_queries:
            one = ops.zeros_like(q_[..., :1], dtype="float32")
            nothing = ops.zeros((1, v.shape[-1] // num_heads)) * one
            top, total, read = by_key.accumulate(
                read_more, (one + 4 * NEVER, one, nothing), *of_keys
            )
            answers = ops.cast(join(read / total), v.dtype)
        else:
            answers = by_query.in_steps(read_all, *of_queries)

        def gradient(*args, upstream=None):
            u = ops.cast(args[0] if upstream is None else upstream, v.dtype)
            # What a weight gains is u . v, less the mean over all weights.
            mean_gain = ops.cast(u, "float32") * ops.cast(answers, "float32")
            mean_gain = ops.reshape(mean_gain, (*ops.shape(u)[:-1], num_heads, -1))
            mean_gain = ops.sum(mean_gain, axis=-1)  # (batch, n, heads)

            def d_scores(weights, u, v, keep, mean_gain):
                gain = ops.cast(ops.matmul(u, swap(v)), "float32")
                return ops.cast(weights * (gain * keep - mean_gain), q.dtype)

            if few_queries:
                lse, u_, mean_ = top + ops.log(total), split(u), swap(mean_gain)[..., None]

                def of_piece(example, *of_keys):
                    q, k, v, s, keep = tile_of_keys(example, *of_keys)
                    weights = ops.exp(s - of_example(lse, example))
                    u, mean = of_example(u_, example), of_example(mean_, example)
                    return q, k, u, weights * keep, d_scores(weights, u, v, keep, mean)

                def for_queries(so_far, example, *of_keys):
                    _, k, _, _, d_s = of_piece(example, *of_keys)
                    return so_far + ops.cast(ops.matmul(d_s, k), "float32")

                def for_keys(example, *of_keys):
                    q, _, u, weights, d_s = of_piece(example, *of_keys)
                    return join(ops.matmul(swap(d_s), q)), join(weighted(swap(weights), u))

                d_q = by_key.accumulate(for_queries, ops.zeros_like(q_, dtype="float32"), *of_keys)
                d_q = ops.cast(join(d_q), q.dtype)
                d_k, d_v = by_key.in_steps(for_keys, *of_keys)
            else:

                def for_queries(example, u, mean, *of_queries):
                    _, k, v, s, keep = tile_of_queries(example, *of_queries)
                    weights = softmax(s)
                    d_s = d_scores(weights, split(u), v, keep, swap(mean)[..., None])
                    lse = ops.max(s, axis=-1) - ops.log(ops.max(weights, axis=-1))
                    return join(ops.matmul(d_s, k)), swap(lse)

                def for_keys(so_far, example, u, mean, lse, *of_queries):
                    d_k, d_v = so_far
                    q, _, v, s, keep = tile_of_queries(example, *of_queries)
                    weights, u = ops.exp(s - swap(lse)[..., None]), split(u)
                    d_s = d_scores(weights, u, v, keep, swap(mean)[..., None])
                    d_k = d_k + ops.cast(ops.matmul(swap(d_s), q), "float32")
                    return d_k, d_v + ops.cast(weighted(swap(weights * keep), u), "float32")

                d_q, lse = by_query.in_steps(for_queries, u, mean_gain, *of_queries)
                zeros = [ops.zeros_like(x, dtype="float32") for x in (k_, v_)]
                found = by_query.accumulate(for_keys, tuple(zeros), u, mean_gain, lse, *of_queries)
                d_k, d_v = (ops.cast(join(x), k.dtype) for x in found)
            return d_q, d_k, d_v, *map(ops.zeros_like, (seed, *masks))

        return answers, gradient

    # As floats, which have a gradient (of zero) on every backend.
    others = [
        ops.cast(0 if seed is None else seed, "float32"),
        *(ops.cast(mask, "bfloat16") for mask in masks),
    ]
    return attend(q, k, v, *others)


def _swap_axes(x, one, other):
    axes = list(range(len(x.shape)))
    axes[one], axes[other] = axes[other], axes[one]
    return ops.transpose(x, axes)


def _counted(batch, n):
    return ops.broadcast_to(ops.arange(n)[None, :, None], (batch, n, 1))


def _hash(x):
    """Whole numbers mixed so well that their bits look drawn (MurmurHash3's finalizer)."""
    for shift, bits, factor in ((16, 0xFFFF, -2048144789), (13, 0x7FFFF, -1028477387)):
        x = ops.bitwise_xor(x, ops.bitwise_and(ops.bitwise_right_shift(x, shift), bits))
        x = x * factor
    return ops.bitwise_xor(x, ops.bitwise_and(ops.bitwise_right_shift(x, 16), 0xFFFF))
