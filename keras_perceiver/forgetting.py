"""Training that leaves nothing behind in TensorFlow.

TensorFlow keeps a list of all custom gradients for good, and each holds on to the graph that it is
part of. Keras' optimizers use one, so every compiled training step stays in memory after its model
is gone: about 60 MB for a tiny model, which a search pays for every trial. Python's garbage
collection takes longer with every one of them.
"""

import contextlib

import keras


@contextlib.contextmanager
def forgetting_gradients():
    """Removes from the list what was added within this context.

    Functions that were compiled within it keep their gradients. The list is only needed to
    differentiate through them from outside later, which no trial does.
    """
    before = set(_custom_gradients())
    try:
        yield
    finally:
        forget_gradients(kept=before)


def forget_gradients(kept=()):
    """Removes all names from the list but those of `kept`."""
    gradients = _custom_gradients()
    for name in set(gradients) - set(kept):
        if name.startswith("CustomGradient-"):
            del gradients[name]


def _custom_gradients():
    """TensorFlow's own, where it is still where it was; a search works without."""
    if keras.backend.backend() != "tensorflow":
        return {}
    from tensorflow.python.framework import ops

    return getattr(getattr(ops, "gradient_registry", None), "_registry", {})
