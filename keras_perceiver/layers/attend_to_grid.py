"""Exact attention over a grid whose scores are sums over its axes: the engine of separable layers.

For one example, `n` queries and a grid of `rows x columns` cells m = (h, w), the scores are

    s[n, m] = scale[m] * (query[n] . features[m] + row_bias[n, h] + column_bias[n, w])

and the answers are sums with the weights v[n, m] = softmax_m(s)[n, m] * scale[m]:

    sum_m v features[m],    sum_w v (for each row h),    sum_h v (for each column w)

from which `SeparableCrossAttention` makes what a query reads. No array of `n x cells` is kept:
queries are taken a few at a time, so that their scores stay in the cache, and the gradient,
written out by hand, computes them again.
"""

from keras import ops

from keras_perceiver.layers import steps
from keras_perceiver.layers.scores import logsumexp, masked, of_example, softmax, swap


def attend_to_grid(
    query, row_bias, column_bias, features, scale, mask=None, with_logsumexp=False, budget=None
):
    """The sums above, side by side, for a batch of examples.

    Args:
        query: Floats `(batch, n, channels)`.
        row_bias: Floats `(batch, n, rows)`.
        column_bias: Floats `(batch, n, columns)`.
        features: Floats `(batch, rows * columns, channels)`, row by row.
        scale: Positive floats `(batch, rows * columns)`.
        mask: Optional booleans `(batch, rows * columns)`, False = weight zero. Where all are
            False, all weigh the same.
        with_logsumexp: Whether log(sum_m exp(s)) is returned as a last column, by which the
            answers of several grids can be joined.
        budget: Bytes that the scores computed at one time may take; see `steps`.

    Returns:
        Floats `(batch, n, channels + rows + columns)`, and one more with `with_logsumexp`.
    """
    features, scale = ops.convert_to_tensor(features), ops.convert_to_tensor(scale)
    # As floats, which have a gradient (of zero) on every backend.
    masks = [] if mask is None else [ops.cast(mask, query.dtype)]
    channels = query.shape[-1]
    rows, columns = ops.shape(row_bias)[-1], ops.shape(column_bias)[-1]
    plan = steps.plan(ops.shape(query)[0], query.shape[1], rows, columns, budget, channels)
    ends = (channels, channels + rows, channels + rows + columns)

    @ops.custom_gradient
    def attend(query, row_bias, column_bias, features, scale, *masks):
        # All arrays come in as arguments: JAX forbids them to leak in.
        mask = masks[0] > 0 if masks else None
        by_channel = swap(features)  # multiplied faster in this layout

        def weights_of(example, query, row_bias, column_bias):
            s = _sums_over_axes(query, row_bias, column_bias, of_example(by_channel, example))
            s = s * _for_each_query(scale, example)
            if mask is not None:
                s = masked(s, _for_each_query(mask, example))
            return s, softmax(s)

        def sums(weights, example):
            """The three sums with weights `(..., n, cells)`, side by side."""
            weights = weights * _for_each_query(scale, example)
            grid = ops.reshape(weights, (*ops.shape(weights)[:-1], rows, columns))
            of_rows = ops.sum(weights, -1, True) if is_one(rows) else ops.sum(grid, -1)
            of_columns = weights if is_one(rows) else ops.sum(grid, -2)
            of_features = swap(ops.matmul(of_example(by_channel, example), swap(weights)))
            return ops.concatenate([of_features, of_rows, of_columns], axis=-1)

        def answer(example, *of_queries):
            s, weights = weights_of(example, *of_queries)
            found = sums(weights, example)
            if with_logsumexp:
                found = ops.concatenate([found, logsumexp(s, weights)], axis=-1)
            return found

        of_queries = (query, row_bias, column_bias)
        answers = plan.in_steps(answer, *of_queries)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            u = (
                upstream[..., : ends[0]],
                upstream[..., ends[0] : ends[1]],
                upstream[..., ends[1] : ends[2]],
            )
            # What a weight gains is u . (what it weighs), less the mean over all weights.
            mean_gain = ops.sum((upstream * answers)[..., : ends[2]], -1, True)
            if with_logsumexp:
                mean_gain = mean_gain - upstream[..., ends[2] :]

            def for_queries(example, query, row_bias, column_bias, u, u_rows, u_columns, mean):
                _, weights = weights_of(example, query, row_bias, column_bias)
                gain = _sums_over_axes(u, u_rows, u_columns, of_example(by_channel, example))
                gain = gain * _for_each_query(scale, example) - mean
                return sums(weights * gain, example)

            found = plan.in_steps(for_queries, *of_queries, *u, mean_gain)
            # Loops of their own: where nobody asks for the gradient of the inputs (raw pixels),
            # graph compilers leave them out.
            if with_logsumexp:
                lse = answers[..., ends[2] :]
            else:
                lse = plan.in_steps(lambda *some: logsumexp(*weights_of(*some)), *of_queries)
            d_features, d_scale = _gradient_of_cells(
                of_queries, u, lse, mean_gain, features, scale, mask, budget
            )
            return (
                found[..., : ends[0]],
                found[..., ends[0] : ends[1]],
                found[..., ends[1] :],
                d_features,
                d_scale,
                *map(ops.zeros_like, masks),
            )

        return answers, gradient

    return attend(query, row_bias, column_bias, features, scale, *masks)


def _gradient_of_cells(of_queries, u, lse, mean_gain, features, scale, mask, budget):
    """The gradients of features and scale, a few rows of the grid at a time."""
    query, row_bias, column_bias = of_queries
    u, u_rows, u_columns = u
    if is_one(ops.shape(row_bias)[-1]):  # one long row: take a few of its columns at a time
        row_bias, column_bias, u_rows, u_columns = column_bias, row_bias, u_columns, u_rows
    rows, columns = ops.shape(row_bias)[-1], ops.shape(column_bias)[-1]
    channels = features.shape[-1]
    plan = steps.plan(ops.shape(query)[0], rows, columns, query.shape[1], budget)

    def for_rows(example, row_bias, u_rows, features, scale, mask=None):
        row_bias, u_rows = swap(row_bias), swap(u_rows)  # (..., n, some rows)
        features = ops.reshape(features, (*ops.shape(features)[:-2], -1, channels))
        scale = ops.reshape(scale, (*ops.shape(scale)[:-2], 1, -1))
        some = [of_example(x, example) for x in (query, column_bias, u, u_columns, lse, mean_gain)]
        query_, column_bias_, u_, u_columns_, lse_, mean_gain_ = some
        features = swap(features)
        raw = _sums_over_axes(query_, row_bias, column_bias_, features)
        s = raw * scale
        if mask is not None:
            s = masked(s, ops.reshape(mask, ops.shape(scale)))
        weights = ops.exp(s - lse_)
        raw_gain = _sums_over_axes(u_, u_rows, u_columns_, features)
        d_s = weights * (raw_gain * scale - mean_gain_)
        d_scale = ops.sum(d_s * raw + weights * raw_gain, axis=-2)
        d_features = ops.matmul(swap(d_s * scale), query_)
        d_features = d_features + ops.matmul(swap(weights * scale), u_)
        found = ops.concatenate([d_features, d_scale[..., None]], axis=-1)
        return ops.reshape(found, (*ops.shape(found)[:-2], -1, columns * (channels + 1)))

    by_row = [swap(row_bias), swap(u_rows)]
    by_row.append(ops.reshape(features, (-1, rows, columns * channels)))
    by_row.append(ops.reshape(scale, (-1, rows, columns)))
    if mask is not None:
        by_row.append(ops.reshape(mask, (-1, rows, columns)))
    found = plan.in_steps(for_rows, *by_row)
    found = ops.reshape(found, (-1, rows * columns, channels + 1))
    return found[..., :channels], found[..., channels]


def _sums_over_axes(query, row_bias, column_bias, features):
    """query . features + row_bias + column_bias, of shape `(..., n, rows * columns)`.

    Here `features` are `(..., channels, cells)`.
    """
    s = ops.matmul(query, features)
    rows, columns = ops.shape(row_bias)[-1], ops.shape(column_bias)[-1]
    if is_one(rows) or is_one(columns):
        return s + (row_bias + column_bias)
    grid = ops.reshape(s, (*ops.shape(s)[:-1], rows, columns))
    grid = grid + row_bias[..., None] + column_bias[..., None, :]
    return ops.reshape(grid, ops.shape(s))


def _for_each_query(array, example):
    """`(batch, cells)` so that it can be multiplied with `(batch, n, cells)`, or one example's."""
    return array[:, None] if example is None else array[example]


def is_one(size):
    return isinstance(size, int) and size == 1
