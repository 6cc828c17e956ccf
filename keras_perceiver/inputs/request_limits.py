"""Limits on the size and values of one tensor in a request to a server."""

from typing import NamedTuple

MOST = 2**20  # limit of sizes that are not fixed: points, entities, queries
USUAL = 16  # such sizes in requests that test a model


class RequestLimits(NamedTuple):
    """Limits of one named tensor, without its batch axis.

    Args:
        largest: Largest size along each axis.
        usual: Shape of a typical example.
        multiple_of: A number for each axis by which its size must be divisible, or None.
        below: Values must be whole numbers from `least` to `below` - 1; a tuple has a bound for
            each place of the last axis; None for any value.
        least: The least value, for `below`.
        may_be_nan: Whether a value may be NaN, which means that it is missing.
    """

    largest: tuple
    usual: tuple
    multiple_of: tuple | None = None
    below: int | tuple | None = None
    least: int = 0
    may_be_nan: bool = False


def open_limits(shape, max_growth=1):
    """Limits of a tensor whose first axis counts points, entities or the like.

    A known size may grow by the factor `max_growth`, up to 1,048,576.
    """
    count, *features = shape
    most = MOST if count is None else min(MOST, count * max_growth)
    return RequestLimits((most, *features), (count or min(USUAL, most), *features))
