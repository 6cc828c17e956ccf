"""The softmax of attention."""

from keras import ops


def softmax(scores):
    """Over the last axis, which may be of length 1: `ops.softmax` takes that for a mistake."""
    if scores.shape[-1] == 1:
        return 0.0 * scores + 1.0  # which gradients can pass
    return ops.softmax(scores, axis=-1)
