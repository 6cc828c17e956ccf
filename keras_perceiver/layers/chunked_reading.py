"""A few queries that read many inputs, which are normalised and projected a piece at a time.

Keys and values of all inputs never exist, only those of the piece that is being read. What has
been read so far is carried along with the maximum and the sum of the exponentials (an online
softmax). The gradient walks the inputs again.
"""

from keras import ops

from keras_perceiver.layers import steps
from keras_perceiver.layers.by_heads import by_heads, joined_heads, scores, weighted
from keras_perceiver.layers.chunked_attention import as_floats, d_scores, mean_gains
from keras_perceiver.layers.dropped_weights import counted, kept_weights
from keras_perceiver.layers.grid_attention import NEVER, of_example, swap

READS = 1024  # a piece has at least half as many rows, so that carrying along is little work


def chunked_reading(
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
    """softmax(q . k) v for each head, where k and v side by side are normed(x) . kernel + bias.

    Args:
        q: Scaled queries `(batch, n, heads * width)`.
        x: Inputs `(batch, m, channels)`.
        kernel: Floats `(channels, heads * (width + value_width))`.
        bias: Floats `(heads * (width + value_width),)`.
        epsilon: If given, each input is brought to mean 0 and variance 1 first, with this added
            to the variance (a LayerNorm whose weights are folded into kernel and bias).
        num_heads, masks, dropout, seed, budget: As in `chunked_attention`.

    Returns:
        Floats `(batch, n, heads * value_width)`.
    """
    batch, m, channels = ops.shape(x)
    n, width = q.shape[1:]
    plan = steps.plan(batch, m, num_heads, n, budget, READS)

    def normed(x):
        """Inputs in the precision they came in, and what they were multiplied with."""
        if epsilon is None:
            return x, None
        wide = ops.cast(x, "float32")
        wide = wide - ops.mean(wide, axis=-1, keepdims=True)
        inverse = ops.rsqrt(ops.mean(ops.square(wide), axis=-1, keepdims=True) + epsilon)
        return ops.cast(wide * inverse, x.dtype), inverse

    @ops.custom_gradient
    def attend(q, x, kernel, bias, seed, *masks):  # all arrays come in here, as JAX wants it
        q, query_index = by_heads(q, num_heads), counted(q)
        of_rows = [swap(mask) for mask in masks if mask.shape[2] != 1]
        of_all = [mask for mask in masks if mask.shape[2] == 1]
        # Pieces that are filled up with zeros know it.
        there = [ops.ones((batch, m, 1), "bfloat16")] if plan.fills_up else []
        of_inputs = (x, counted(x), *there, *of_rows)
        kernel_, bias_ = ops.cast(kernel, x.dtype), ops.cast(bias, x.dtype)

        def tile(example, x, index, *of_rows):
            """Of all queries and some inputs: operands by heads, scores, which weights stay."""
            projected = ops.matmul(x, kernel_) + bias_
            k, v = (
                by_heads(part, num_heads)
                for part in (projected[..., :width], projected[..., width:])
            )
            filled, of_rows = of_rows[: len(there)], of_rows[len(there) :]
            some = [*(swap(x) for x in of_rows), *(of_example(x, example) for x in of_all)]
            s = scores(of_example(q, example), k, some)
            for mask in filled:  # below what is masked: where all is masked, all weigh the same
                s = ops.where(ops.expand_dims(swap(mask), -3) > 0, s, 2 * NEVER)
            queries = of_example(query_index, example)
            return k, v, s, kept_weights(dropout, seed, example, batch, num_heads, queries, index)

        def read_more(so_far, example, x, *of_rows):
            top, total, read = so_far
            _, v, s, keep = tile(example, normed(x)[0], *of_rows)
            higher = ops.maximum(top, ops.max(s, axis=-1, keepdims=True))
            weights, fade = ops.exp(s - higher), ops.exp(top - higher)
            total = total * fade + ops.sum(weights, axis=-1, keepdims=True)
            return higher, total, read * fade + ops.cast(weighted(weights * keep, v), "float32")

        zero = ops.zeros_like(q[..., :1], dtype="float32")
        nothing = ops.zeros(((kernel.shape[1] - width) // num_heads,)) + zero
        top, total, read = plan.accumulate(read_more, (zero + 4 * NEVER, zero, nothing), *of_inputs)
        answers = ops.cast(joined_heads(read / total), x.dtype)

        def gradient(*args, upstream=None):
            u = ops.cast(args[0] if upstream is None else upstream, x.dtype)
            mean_gain, lse = mean_gains(u, answers, num_heads), top + ops.log(total)
            u = by_heads(u, num_heads)

            def of_piece(example, x, *of_rows):
                """Keys, and the gradients of scores and of keys and values side by side."""
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
                k, d_s, d_projected = of_piece(example, x, *of_rows)
                d_q = d_q + ops.cast(ops.matmul(d_s, k), "float32")
                d_kernel = d_kernel + ops.cast(ops.matmul(swap(x), d_projected), "float32")
                return d_q, d_kernel, d_bias + ops.sum(ops.cast(d_projected, "float32"), axis=-2)

            def for_inputs(example, x, *of_rows):
                x, inverse = normed(x)
                d_x = ops.matmul(of_piece(example, x, *of_rows)[-1], ops.transpose(kernel_))
                if inverse is not None:
                    wide = ops.cast(d_x, "float32")
                    along = ops.mean(wide * ops.cast(x, "float32"), axis=-1, keepdims=True)
                    wide = (
                        wide
                        - ops.mean(wide, axis=-1, keepdims=True)
                        - along * ops.cast(x, "float32")
                    )
                    d_x = ops.cast(inverse * wide, x.dtype)
                return d_x

            zeros = (
                ops.zeros_like(q, dtype="float32"),
                *(ops.zeros((batch, *weight.shape)) for weight in (kernel, bias)),
            )
            d_q, d_kernel, d_bias = plan.accumulate(for_weights, zeros, *of_inputs)
            # A loop of its own: where nobody asks for it (raw pixels), graph compilers omit it.
            d_x = plan.in_steps(for_inputs, *of_inputs)
            found = (ops.sum(d_kernel, axis=0), ops.sum(d_bias, axis=0))
            found = [ops.cast(x, weight.dtype) for x, weight in zip(found, (kernel, bias))]
            zeros = map(ops.zeros_like, (seed, *masks))
            return ops.cast(joined_heads(d_q), q.dtype), d_x, *found, *zeros

        return answers, gradient

    return attend(q, x, kernel, bias, *as_floats(seed, masks))
