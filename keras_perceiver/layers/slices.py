"""Runs a large computation as a fixed number of slices, without a loop in the graph."""

import contextlib
import contextvars
import dataclasses

import keras
from keras import ops

MOST = 32  # slices: each is a copy of the operations, which takes time to load and to start

_unrolled = contextvars.ContextVar("unrolled", default=False)


@contextlib.contextmanager
def unrolled():
    """In this context, `steps.plan` gives `Slices` in place of a loop.

    For the export to runtimes whose loops are slow, wrong or missing. Only what is traced inside
    changes: other threads, and functions that were traced before, keep their loops.
    """
    token = _unrolled.set(True)
    try:
        yield
    finally:
        _unrolled.reset(token)


def are_wanted():
    """Whether `unrolled` is active."""
    return _unrolled.get()


def fitting(n, size):
    """The `Slices` of `n` rows with about `size` rows each, or more if there were too many slices.

    If `n` is known only at run time, or `size` is None, there is one slice.
    """
    if size is None or not isinstance(n, int):
        return Slices(n, 1)
    return Slices(n, min(-(-n // size), MOST, n))


@dataclasses.dataclass
class Slices:
    """The same as a `Plan` of `steps`, for `count` slices of `n` rows, of all examples at once."""

    n: object
    count: int

    fills_up = False  # the last slices are shorter, not padded

    def in_steps(self, function, *arrays):
        """See `Plan.in_steps`; `example` is always None."""
        parts = [function(None, *some) for some in self._of(arrays)]
        if len(parts) == 1:
            return parts[0]
        return keras.tree.map_structure(lambda *some: ops.concatenate(some, axis=1), *parts)

    def accumulate(self, function, begin, *arrays):
        """See `Plan.accumulate`; `example` is always None."""
        for some in self._of(arrays):
            begin = function(begin, None, *some)
        return begin

    def _of(self, arrays):
        if self.count == 1:
            return [arrays]
        ends = [self.n * i // self.count for i in range(self.count + 1)]
        return [[array[:, a:b] for array in arrays] for a, b in zip(ends, ends[1:])]
