"""The most probable classes, with their names."""

import numpy as np

from keras_perceiver import arguments


def check_class_names(class_names):
    """Returns a list of names or None, or raises ValueError."""
    if class_names is None:
        return None
    listed = isinstance(class_names, (list, tuple)) and len(class_names) > 0
    if not listed or not all(isinstance(name, str) and name.strip() for name in class_names):
        raise ValueError(
            "`class_names` must be a list of strings, one for each class, or None. Received: "
            f"class_names={class_names!r}"
        )
    return list(class_names)


def probabilities(name, logits):
    """The softmax of logits `(batch, num_classes)`, NumPy float64."""
    logits = arguments.floats(name, logits)
    arguments.rank_of(name, logits.shape, 2, "(batch, num_classes)")
    arguments.finite(name, logits)
    powers = np.exp(logits.astype("float64") - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def most_probable(probabilities, class_names, top):
    """[(name, or index if there are no names; probability)], the most probable class first.

    Args:
        probabilities: NumPy floats `(num_classes,)`.
        class_names: A list of as many names, or None.
        top: Length of the list; at most the number of classes.

    Raises:
        ValueError: if the number of names differs, or `top` is not a whole number of at least 1.
    """
    arguments.whole_number("top", top)
    if class_names is not None and len(class_names) != len(probabilities):
        raise ValueError(
            f"`class_names` must be one name for each of the {len(probabilities)} classes that the "
            f"model tells apart. Received: {len(class_names)} names"
        )
    order = np.argsort(-probabilities, kind="stable")[:top]
    names = range(len(probabilities)) if class_names is None else class_names
    return [(names[i], float(probabilities[i])) for i in order]
