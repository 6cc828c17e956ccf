"""The queries of one output."""

from typing import NamedTuple


class Queries(NamedTuple):
    """Symbolic output queries.

    Args:
        array: `(batch, num_queries, query_dim)`.
        mask: Booleans `(batch, num_queries)`, False for queries that must not attend; or None.
        apart: If possible, the same queries with positions separate from features: the features
            `(batch, *grid, channels)` and the `FourierEncoding` of the grid; otherwise None.
    """

    array: object
    mask: object = None
    apart: tuple | None = None
