"""How large, and of which values, a tensor of one modality may be in a request to a server."""

from typing import NamedTuple

MOST = 2**20  # of what has no natural size: points, entities, queries
USUAL = 16  # of the same, in requests made to try a model


class RequestLimits(NamedTuple):
    """Limits of one named tensor, without its batch axis.

    Args:
        largest: Largest size along each axis.
        usual: Sizes of an ordinary example.
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

    A size that is known may grow `max_growth` times, up to 1,048,576.
    """
    count, *features = shape
    most = MOST if count is None else min(MOST, count * max_growth)
    return RequestLimits((most, *features), (count or min(USUAL, most), *features))
