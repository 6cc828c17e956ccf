"""Exact attention of a few queries to many inputs, normalised and projected a chunk at a time.

It loops over the inputs: keys and values exist only for the current chunk. The weighted sum so far
is carried along with the running maximum and the sum of the exponentials (an online softmax). The
backward pass loops over the inputs again.
"""

from keras import ops

from keras_perceiver.layers import steps
from keras_perceiver.layers.dropped_weights import counted, kept_weights
from keras_perceiver.layers.precision import wide, wide_dtype
from keras_perceiver.layers.scores import (
    NEVER,
    as_floats,
    by_heads,
    d_scores,
    joined_heads,
    mean_gains,
    of_example,
    scores,
    swap,
    weighted,
)

READS = 1024  # a chunk has at least half as many rows, so that updating the sums costs little


def attend_by_inputs(
    q,
    x,
    kernel,
    bias,
    epsilon=None,
    num_heads=1,
    masks=(),
    dropout=0.0,
    seed=None,
    budget=None,
):
    """softmax(q . k) v for each head, where [k, v] = normed(x) . kernel + bias.

    Args:
        q: Scaled queries `(batch, n, heads * width)`.
        x: Inputs `(batch, m, channels)`.
        kernel: Floats `(channels, heads * (width + value_width))`.
        bias: Floats `(heads * (width + value_width),)`.
        epsilon: If given, each input is first normalised to mean 0 and variance 1, with `epsilon`
            added to the variance (a LayerNorm whose weights are folded into kernel and bias).
        num_heads, masks, dropout, seed, budget: As in `attend_by_queries`.

    Returns:
        Floats `(batch, n, heads * value_width)`.
    """
    batch, m, channels = ops.shape(x)
    n, width = q.shape[1:]
    plan = steps.plan(batch, m, num_heads, n, budget, READS)

    def normed(x):
        """Normalised inputs in the dtype of `x`, and the inverse standard deviations."""
        if epsilon is None:
            return x, None
        centred = wide(x)
        for _ in range(2):  # the second pass removes the rounding error of a large mean
            centred = centred - ops.mean(centred, axis=-1, keepdims=True)
        inverse = ops.rsqrt(ops.mean(ops.square(centred), axis=-1, keepdims=True) + epsilon)
        return ops.cast(centred * inverse, x.dtype), inverse

    # JAX: a custom gradient must not close over arrays, so all of them are arguments.
    @ops.custom_gradient
    def attend(q, x, kernel, bias, seed, *masks):
        q, query_index = by_heads(q, num_heads), counted(q)
        of_rows = [swap(mask) for mask in masks if mask.shape[2] != 1]
        of_all = [mask for mask in masks if mask.shape[2] == 1]
        # Ones for real rows; the padding of the last chunk gets zeros.
        is_real = [ops.ones((batch, m, 1), "bfloat16")] if plan.fills_up else []
        of_inputs = (x, counted(x), *is_real, *of_rows)
        kernel_, bias_ = ops.cast(kernel, x.dtype), ops.cast(bias, x.dtype)

        def tile(example, x, index, *of_rows):
            """For all queries and a chunk of inputs: k and v by heads, scores, dropout factors."""
            projected = ops.matmul(x, kernel_) + bias_
            k, v = (
                by_heads(part, num_heads)
                for part in (projected[..., :width], projected[..., width:])
            )
            real, of_rows = of_rows[: len(is_real)], of_rows[len(is_real) :]
            chunk_masks = [*(swap(x) for x in of_rows), *(of_example(x, example) for x in of_all)]
            s = scores(of_example(q, example), k, chunk_masks)
            for mask in real:  # lower than masked scores: if all are masked, weights are equal
                s = ops.where(ops.expand_dims(swap(mask), -3) > 0, s, 2 * NEVER)
            queries = of_example(query_index, example)
            return k, v, s, kept_weights(dropout, seed, example, batch, num_heads, queries, index)

        def read_more(so_far, example, x, *of_rows):
            top, total, read = so_far
            _, v, s, keep = tile(example, normed(x)[0], *of_rows)
            higher = ops.maximum(top, ops.max(s, axis=-1, keepdims=True))
            weights, fade = ops.exp(s - higher), ops.exp(top - higher)
            total = total * fade + ops.sum(weights, axis=-1, keepdims=True)
            return higher, total, read * fade + wide(weighted(weights * keep, v))

        zero = ops.zeros_like(q[..., :1], dtype=wide_dtype(q))
        nothing = ops.zeros(((kernel.shape[1] - width) // num_heads,), zero.dtype) + zero
        top, total, read = plan.accumulate(read_more, (zero + 4 * NEVER, zero, nothing), *of_inputs)
        outputs = ops.cast(joined_heads(read / total), x.dtype)

        def gradient(*args, upstream=None):
            u = ops.cast(args[0] if upstream is None else upstream, x.dtype)
            mean_gain, lse = mean_gains(u, outputs, num_heads), top + ops.log(total)
            u = by_heads(u, num_heads)

            def of_chunk(example, x, *of_rows):
                """Keys, the gradient of the scores, and the gradient of [keys, values]."""
                k, v, s, keep = tile(example, x, *of_rows)
                u_, mean = of_example(u, example), of_example(mean_gain, example)
                weights = ops.exp(s - of_example(lse, example))
                d_s = d_scores(weights, u_, v, keep, mean)
                d_k = ops.matmul(swap(d_s), of_example(q, example))
                d_v = weighted(swap(weights * keep), u_)
                return k, d_s, ops.concatenate([joined_heads(d_k), joined_heads(d_v)], axis=-1)

            def for_weights(so_far, example, x, *of_rows):
                d_q, d_kernel, d_bias = so_far
                x = normed(x)[0]
                k, d_s, d_projected = of_chunk(example, x, *of_rows)
                d_q = d_q + wide(ops.matmul(d_s, k))
                d_kernel = d_kernel + wide(ops.matmul(swap(x), d_projected))
                return d_q, d_kernel, d_bias + ops.sum(wide(d_projected), axis=-2)

            def for_inputs(example, x, *of_rows):
                x, inverse = normed(x)
                d_x = ops.matmul(of_chunk(example, x, *of_rows)[-1], ops.transpose(kernel_))
                if inverse is not None:
                    gain = wide(d_x)
                    along = ops.mean(gain * wide(x), axis=-1, keepdims=True)
                    gain = gain - ops.mean(gain, axis=-1, keepdims=True) - along * wide(x)
                    d_x = ops.cast(inverse * gain, x.dtype)
                return d_x

            zeros = (
                ops.zeros_like(q, dtype=wide_dtype(q)),
                *(ops.zeros((batch, *weight.shape), wide_dtype(q)) for weight in (kernel, bias)),
            )
            d_q, d_kernel, d_bias = plan.accumulate(for_weights, zeros, *of_inputs)
            # A separate loop: graph compilers omit it if the gradient is not used (raw pixels).
            d_x = plan.in_steps(for_inputs, *of_inputs)
            found = (ops.sum(d_kernel, axis=0), ops.sum(d_bias, axis=0))
            found = [ops.cast(x, weight.dtype) for x, weight in zip(found, (kernel, bias))]
            zeros = map(ops.zeros_like, (seed, *masks))
            return ops.cast(joined_heads(d_q), q.dtype), d_x, *found, *zeros

        return outputs, gradient

    return attend(q, x, kernel, bias, *as_floats(seed, masks, "bfloat16"))
