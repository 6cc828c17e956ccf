"""How much of a model's answers another file of the same model changes."""

import numpy as np


class Disagreement:
    """The part of one output that differs, summed over batches.

    For classes it is the share of answers with another class, with `multi_label` the share of
    classes with another sign of their logit. For values it is the mean squared difference divided
    by the variance of the values.

    Args:
        output: The bound description of the output.

    Example:

    >>> measure = Disagreement(model.output_descriptions["classes"])
    >>> measure.update(wanted, found, weights=None)
    >>> measure.loss
    0.004
    """

    def __init__(self, output):
        self.of_classes = bool(output.num_classes)
        self.multi_label = getattr(output, "multi_label", False)
        self.total = self.different = 0.0
        self.sum = self.squares = 0.0  # of values, for their variance

    @property
    def measure(self):
        return "share of the same classes" if self.of_classes else "share of the variance"

    def update(self, wanted, found, targets=None, weights=None):
        """Adds a batch: arrays of the same shape, and weights `(batch,)` or of more axes."""
        wanted, found = np.asarray(wanted, "float64"), np.asarray(found, "float64")
        if self.of_classes and not self.multi_label:
            different = wanted.argmax(-1) != found.argmax(-1)
        elif self.of_classes:
            different = (wanted > 0) != (found > 0)
        else:
            different = np.square(wanted - found)
        weights = _like(weights, different.shape)
        self.total += weights.sum()
        self.different += (weights * different).sum()
        if not self.of_classes:
            axes = tuple(range(wanted.ndim - 1))
            self.sum = self.sum + (weights * wanted).sum(axes)
            self.squares = self.squares + (weights * wanted**2).sum(axes)

    @property
    def loss(self):
        if not self.total:
            return 0.0
        if self.of_classes:
            return float(self.different / self.total)
        count = self.total / self.sum.size
        spread = float((self.squares - self.sum**2 / count).sum())
        return float(self.different / max(spread, 1e-12 * max(1.0, float(self.squares.sum()))))

    @property
    def before(self):
        return 1.0

    @property
    def after(self):
        return 1.0 - self.loss


def _like(weights, shape):
    """Weights of at most the first axes of `shape`, repeated along the others."""
    if weights is None:
        return np.ones(shape)
    weights = np.asarray(weights, "float64")
    weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    return np.broadcast_to(weights, shape)
