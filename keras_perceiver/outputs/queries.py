"""What one output asks of the latents."""

from typing import NamedTuple


class Queries(NamedTuple):
    """Symbolic output queries.

    Args:
        array: `(batch, num_queries, query_dim)`.
        mask: Booleans `(batch, num_queries)`, False for queries that are to read nothing; or None.
        apart: Where it is possible, the same queries with their positions kept apart: features
            `(batch, *grid, channels)` and the `FourierEncoding` of the grid; otherwise None.
    """

    array: object
    mask: object = None
    apart: tuple | None = None
