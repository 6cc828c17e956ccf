"""What the next loss should be like."""

import collections
import math

import numpy as np

_FIRST = 10


class RecentLosses:
    """The losses of the last steps, but for those that were far above the rest.

    Args:
        window: Number of losses.
        factor: A loss is high if it is more than this many times their 90th percentile, which
            unlike the median takes account of how much losses scatter.
        floor: Fraction of the first losses, in place of the percentile when that is below it.
    """

    def __init__(self, window, factor, floor):
        self.factor, self.floor = factor, floor
        self._losses = collections.deque(maxlen=window)
        self._first = None

    @property
    def median(self):
        return float(np.median(self._losses)) if self._losses else math.nan

    def is_high(self, loss):
        """Whether a loss is far above the recent ones, once there are enough of them."""
        if self._first is None:
            return False
        # Written so that it also holds for losses below zero.
        usual = np.percentile(self._losses, 90)
        level = max(abs(usual), self.floor * abs(self._first))
        return loss > usual + (self.factor - 1) * level

    def add(self, loss):
        self._losses.append(loss)
        if self._first is None and len(self._losses) >= min(_FIRST, self._losses.maxlen):
            self._first = self.median

    def state(self):
        """All there is to know, as JSON-compatible values."""
        return {"losses": list(self._losses), "first": self._first}

    def restore(self, state):
        self._losses.clear()
        self._losses.extend(state["losses"])
        self._first = state["first"]
