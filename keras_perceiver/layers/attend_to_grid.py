"""Exact attention to a grid whose scores are sums over its axes, for the separable layers.

For one example, `n` queries and a grid of `rows x columns` cells m = (h, w), the scores are

    s[n, m] = scale[m] * (query[n] . features[m] + row_bias[n, h] + column_bias[n, w])

and the results are sums with the weights v[n, m] = softmax_m(s)[n, m] * scale[m]:

    sum_m v features[m],    sum_w v (for each row h),    sum_h v (for each column w)

from which `SeparableCrossAttention` computes its attention output. No array of `n x cells` is kept:
a few queries are processed at a time, so that their scores stay in the cache, and the hand-written
backward pass recomputes them.
"""

from keras import ops

from keras_perceiver.layers import slices, steps
from keras_perceiver.layers.scores import logsumexp, masked, of_example, softmax, swap


def attend_to_grid(
    query, row_bias, column_bias, features, scale, mask=None, with_logsumexp=False, budget=None
):
    """The sums above, side by side, for a batch of examples.

    Args:
        query: Floats `(batch, n, channels)`.
        row_bias: Floats `(batch, n, rows)`.
        column_bias: Floats `(batch, n, columns)`.
        features: Floats `(batch, rows * columns, channels)`, in row-major order.
        scale: Positive floats `(batch, rows * columns)`.
        mask: Optional booleans `(batch, rows * columns)`, False = weight zero. If all are False,
            all weights are equal.
        with_logsumexp: Whether log(sum_m exp(s)) is returned as a last column, with which the
            results of several grids can be combined.
        budget: Largest size in bytes of the scores that are computed at a time; see `steps`.

    Returns:
        Floats `(batch, n, channels + rows + columns)`, with one more column if `with_logsumexp`.
    """
    features, scale = ops.convert_to_tensor(features), ops.convert_to_tensor(scale)
    # As floats, which have a (zero) gradient on every backend.
    masks = [] if mask is None else [ops.cast(mask, query.dtype)]
    channels = query.shape[-1]
    rows, columns = ops.shape(row_bias)[-1], ops.shape(column_bias)[-1]
    plan = steps.plan(ops.shape(query)[0], query.shape[1], rows, columns, budget, channels)
    ends = (channels, channels + rows, channels + rows + columns)

    @ops.custom_gradient
    def attend(query, row_bias, column_bias, features, scale, *masks):
        # All arrays are arguments: in JAX, a custom gradient must not close over arrays.
        mask = masks[0] > 0 if masks else None
        by_channel = swap(features)  # matrix products are faster in this layout

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
            of_features = _weighted(weights, of_example(by_channel, example))
            return ops.concatenate([of_features, of_rows, of_columns], axis=-1)

        def output(example, *of_queries):
            s, weights = weights_of(example, *of_queries)
            found = sums(weights, example)
            if with_logsumexp:
                found = ops.concatenate([found, logsumexp(s, weights)], axis=-1)
            return found

        of_queries = (query, row_bias, column_bias)
        outputs = plan.in_steps(output, *of_queries)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            u = (
                upstream[..., : ends[0]],
                upstream[..., ends[0] : ends[1]],
                upstream[..., ends[1] : ends[2]],
            )
            # The gain of a weight is u . (what it multiplies), minus the weighted mean gain.
            mean_gain = ops.sum((upstream * outputs)[..., : ends[2]], -1, True)
            if with_logsumexp:
                mean_gain = mean_gain - upstream[..., ends[2] :]

            def for_queries(example, query, row_bias, column_bias, u, u_rows, u_columns, mean):
                _, weights = weights_of(example, query, row_bias, column_bias)
                gain = _sums_over_axes(u, u_rows, u_columns, of_example(by_channel, example))
                gain = gain * _for_each_query(scale, example) - mean
                return sums(weights * gain, example)

            found = plan.in_steps(for_queries, *of_queries, *u, mean_gain)
            # Separate loops: graph compilers omit them if the gradient of the inputs is not used
            # (raw pixels).
            if with_logsumexp:
                lse = outputs[..., ends[2] :]
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

        return outputs, gradient

    return attend(query, row_bias, column_bias, features, scale, *masks)


def _gradient_of_cells(of_queries, u, lse, mean_gain, features, scale, mask, budget):
    """The gradients of features and scale, a few rows of the grid at a time."""
    query, row_bias, column_bias = of_queries
    u, u_rows, u_columns = u
    if is_one(ops.shape(row_bias)[-1]):  # a single long row: take a few of its columns at a time
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


def _weighted(weights, features):
    """Sums of `features` `(..., channels, cells)` with `weights`, `(..., n, channels)`."""
    if slices.are_wanted():  # OpenVINO takes the outer transposition for a reshape if n is 1
        return ops.matmul(weights, swap(features))
    return swap(ops.matmul(features, swap(weights)))


def _for_each_query(array, example):
    """`(batch, cells)` with an axis for the queries, or one example's `(cells,)`."""
    return array[:, None] if example is None else array[example]


def is_one(size):
    return isinstance(size, int) and size == 1
