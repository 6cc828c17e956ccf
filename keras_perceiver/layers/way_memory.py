"""The memory of attention that does not keep its scores, as `PartCost`s without parameters, FLOPs.

Each function counts the arrays of attention and of the norms before it: what the backward pass
needs (`kept`), what else lives during it (`largest`), and a few arrays of one step (`chunk`).
Numbers are those of one example, except `chunk`. `learned` tells whether the inputs have a
gradient, which raw numbers do not.
"""

import math

from keras_perceiver.layers import attend_by_inputs, attend_by_queries, attend_from_grid, steps
from keras_perceiver.layers.normalized_grid import LONGEST_ROW
from keras_perceiver.layers.part_cost import PartCost

ARRAYS = 4  # of the scores of a step that live at once: scores, weights, gains, gradient


def chunked(n, query_dim, m, input_dim, heads, qk, v, learned, batch):
    """`Attention` in chunks, of `n` queries to `m` inputs: by inputs if these are more."""
    if n < m:
        return _by_inputs(n, query_dim, m, input_dim, heads, qk, v, learned, batch)
    plan = steps.plan(batch, n, heads, m, reads=attend_by_queries.READS)
    at_once = _at_once(plan, heads * m)
    kept = n * (2 * query_dim + qk + v) + m * (input_dim + qk + v)
    gradients = n * (2 * qk + v) + m * (2 * (qk + v) + input_dim)
    return PartCost(kept=kept, largest=gradients, chunk=ARRAYS * at_once)


def _by_inputs(n, query_dim, m, input_dim, heads, qk, v, learned, batch):
    plan = steps.plan(batch, m, heads, n, reads=attend_by_inputs.READS)
    at_once = _at_once(plan, heads * n)
    of_inputs = at_once // (heads * n) * 2 * (input_dim + qk + v)
    kept = n * (2 * query_dim + qk + v)
    gradients = n * (qk + v) + (2 * m * input_dim if learned else 0)
    return PartCost(kept=kept, largest=gradients, chunk=ARRAYS * at_once + of_inputs)


def to_grid(n, query_dim, parts, width, qk, v, batch):
    """`SeparableCrossAttention` of `n` queries.

    Args:
        n, query_dim, qk, v, batch: As above.
        parts: (grid, channels, learned) of each part of the inputs; `grid` is None, or the sizes
            of a grid whose positions are separate, and `channels` is without them. Without a grid,
            the length of the part takes its place.
        width: Width of the inputs.
    """
    kept, largest, chunk = n * (2 * query_dim + qk + v + 6 * width), 0, 0
    for grid, channels, learned in parts:
        apart = isinstance(grid, tuple)
        rows, columns = (math.prod(grid[:-1]), grid[-1]) if apart else _in_rows(grid)
        cells, k = rows * columns, channels + apart
        sums = n * (k + rows + columns)
        kept += 2 * cells * k + cells + 2 * sums
        kept += cells * channels if learned and apart else 0
        gradients = 2 * cells * (k + 1) + 2 * cells * channels if learned else 0
        largest = max(largest, 3 * sums + gradients)
        plan = steps.plan(batch, n, rows, columns, reads=k)
        # The gradient of the inputs has a loop of its own, in small steps.
        chunk = max(chunk, ARRAYS * _at_once(plan, cells) - batch * gradients)
    return PartCost(kept=kept, largest=largest, chunk=chunk)


def from_grid(grid, channels, width, m, input_dim, qk, v, residual, batch):
    """`SeparableQueryAttention` from a grid of queries `width` wide to `m` inputs.

    `channels` are those of the queries without positions; `residual` tells whether the queries are
    added to the result.
    """
    rows, columns = math.prod(grid[:-1]), grid[-1]
    cells, k = rows * columns, channels + 1 if channels else 0
    read = min(width, v)
    kept = m * (input_dim + 2 * (qk + v + width) + rows + columns)
    kept += cells * (k + 1 + read + width)
    largest = cells * (2 * read + 2 * (k + 2) + (width if residual else 0))
    budget = steps.default_budget()
    by_row = _at_once(steps.plan(batch, rows, columns, m, budget), columns * m)
    by_key = steps.plan(batch, m, rows, columns, attend_from_grid.MANY_CELLS * budget)
    chunk = ARRAYS * max(by_row, _at_once(by_key, cells))
    return PartCost(kept=kept, largest=largest, chunk=chunk)


def _at_once(plan, each):
    """How many scores a step of a `Plan` over rows of `each` computes."""
    if plan.size is None:
        return plan.batch * plan.n * each
    return min(plan.size, plan.n) * each


def _in_rows(length):
    """The grid of vectors without separate positions; see `NormalizedGrid`."""
    if length <= LONGEST_ROW:
        return 1, length
    columns = math.isqrt(length - 1) + 1
    return -(-length // columns), columns
