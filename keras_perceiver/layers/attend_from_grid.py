"""Exact attention from the cells of a grid, whose scores are sums over its axes.

The counterpart of `attend_to_grid`: there a few queries attend to a grid, here each cell
m = (h, w) of a grid is a query and attends to `n` values:

    s[m, n] = scale[m] * (key[n] . features[m] + row_bias[n, h] + column_bias[n, w]) + bias[n]
    output[m] = sum_n softmax_n(s)[m, n] value[n]

A few rows of the grid are computed at a time.
"""

from keras import ops

from keras_perceiver.layers import slices, steps
from keras_perceiver.layers.attend_to_grid import is_one
from keras_perceiver.layers.scores import logsumexp, of_example, softmax, swap

MANY_CELLS = 16  # factor on the budget of the loop over keys, whose every step loads all cells


def attend_from_grid(key, row_bias, column_bias, bias, value, features, scale, budget=None):
    """The outputs above, for a batch of examples.

    Args:
        key: Floats `(batch, n, channels)`.
        row_bias, column_bias: Floats `(batch, n, rows)` and `(batch, n, columns)`.
        bias: Floats `(batch, n)`.
        value: Floats `(batch, n, value_dim)`.
        features: Floats `(batch, rows * columns, channels)`, in row-major order.
        scale: Positive floats `(batch, rows * columns)`.
        budget: Largest size in bytes of the scores that are computed at a time; see `steps`.

    Returns:
        Floats `(batch, rows * columns, value_dim)`.
    """
    if is_one(ops.shape(row_bias)[-1]):  # a single long row: take a few of its columns at a time
        row_bias, column_bias = column_bias, row_bias
    if not features.shape[-1] and slices.are_wanted():  # ONNX cannot reshape to 0 channels
        key, features = (
            ops.zeros((*ops.shape(x)[:2], 1), x.dtype) for x in (key, scale[..., None])
        )
    batch, n, channels = *ops.shape(key)[:2], features.shape[-1]
    rows, columns = ops.shape(row_bias)[-1], ops.shape(column_bias)[-1]
    budget = steps.default_budget() if budget is None else budget
    plan = steps.plan(batch, rows, columns, n, budget)
    by_key = steps.plan(batch, n, rows, columns, MANY_CELLS * budget)

    def rows_of(array):
        """`(batch, cells, k)` as `(batch, rows, columns, k)`."""
        shape = ops.shape(array)  # not "-1", which is ambiguous if there are 0 channels
        return ops.reshape(array, (shape[0], rows, columns, *shape[2:]))

    @ops.custom_gradient
    def attend(key, row_bias, column_bias, bias, value, features, scale):
        of_rows = (swap(row_bias), rows_of(features), rows_of(scale))

        def raw_and_scores(example, row_bias, features, scale):
            """Unscaled and final scores of some rows, `(..., rows, columns, n)`."""
            raw = ops.matmul(flat(features), swap(of_example(key, example)))
            raw = ops.reshape(raw, (*ops.shape(features)[:-1], -1))
            raw = raw + row_bias[..., None, :]
            raw = raw + _with_row_axis(swap(of_example(column_bias, example)), example)
            key_bias = _with_row_axis(of_example(bias, example)[..., None, :], example)
            return raw, raw * scale[..., None] + key_bias

        def flat(array):
            """`(..., rows, columns, k)` as `(..., cells, k)`."""
            *lead, rows, columns, k = ops.shape(array)
            return ops.reshape(array, (*lead, rows * columns, k))

        def by_row(array):
            """`(..., rows, columns, k)` as `(..., rows, columns * k)`, to join chunks."""
            *lead, columns, k = ops.shape(array)
            return ops.reshape(array, (*lead, columns * k))

        def output(example, *rows):
            weights = softmax(raw_and_scores(example, *rows)[1])
            outputs = ops.matmul(flat(weights), of_example(value, example))
            return by_row(ops.reshape(outputs, (*ops.shape(weights)[:-1], value.shape[-1])))

        outputs = ops.reshape(
            plan.in_steps(output, *of_rows), (batch, rows * columns, value.shape[-1])
        )

        def gradient(*args, upstream=None):
            u = args[0] if upstream is None else upstream
            mean_gain = ops.sum(u * outputs, axis=-1)

            def for_rows(example, row_bias, features, scale, u, mean_gain):
                raw, s = raw_and_scores(example, row_bias, features, scale)
                weights = softmax(s)
                gain = ops.matmul(flat(u), swap(of_example(value, example)))
                gain = ops.reshape(gain, ops.shape(s)) - mean_gain[..., None]
                d_s = weights * gain
                d_features = ops.matmul(flat(d_s * scale[..., None]), of_example(key, example))
                d_features = ops.reshape(d_features, ops.shape(features))
                d_scale = ops.sum(d_s * raw, axis=-1)
                lse = logsumexp(s, weights)[..., 0]
                return ops.concatenate([by_row(d_features), d_scale, lse], axis=-1)

            found = plan.in_steps(for_rows, *of_rows, rows_of(u), rows_of(mean_gain))
            ends = (columns * channels, columns * (channels + 1))
            cells = (batch, rows * columns)
            d_features = ops.reshape(found[..., : ends[0]], (*cells, channels))
            d_scale = ops.reshape(found[..., ends[0] : ends[1]], cells)
            lse = ops.reshape(found[..., ends[1] :], cells)

            def for_keys(example, key, row_bias, column_bias, bias, value):
                features_, u_ = of_example(features, example), of_example(u, example)
                one = example is not None
                scale_, lse_, mean_ = [
                    x[example] if one else x[:, None] for x in (scale, lse, mean_gain)
                ]
                s = ops.matmul(key, swap(features_))
                grid = (*ops.shape(s)[:-1], rows, columns)
                s = ops.reshape(s, grid) + row_bias[..., None] + column_bias[..., None, :]
                s = ops.reshape(s, (*grid[:-2], -1)) * scale_ + bias
                weights = ops.exp(s - lse_)
                d_s = weights * (ops.matmul(value, swap(u_)) - mean_)
                d_raw = d_s * scale_
                d_grid = ops.reshape(d_raw, grid)
                parts = [
                    ops.matmul(d_raw, features_),
                    ops.sum(d_grid, axis=-1),
                    ops.sum(d_grid, axis=-2),
                    ops.sum(d_s, axis=-1, keepdims=True),
                    ops.matmul(weights, u_),
                ]
                return ops.concatenate(parts, axis=-1)

            of_keys = (key, row_bias, column_bias, bias[..., None], value)
            found = by_key.in_steps(for_keys, *of_keys)
            parts, start = [], 0
            for array in of_keys:
                width = ops.shape(array)[-1]
                parts.append(found[..., start : start + width])
                start = start + width
            parts[3] = parts[3][..., 0]
            return *parts, d_features, d_scale

        return outputs, gradient

    return attend(key, row_bias, column_bias, bias, value, features, scale)


def _with_row_axis(array, example):
    """Adds an axis for the rows to `(batch, columns, n)`, not to one example's `(columns, n)`."""
    return array[:, None] if example is None else array
