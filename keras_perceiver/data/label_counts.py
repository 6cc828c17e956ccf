"""Which targets are labels, and of how many classes."""

from keras_perceiver import arguments


def label_counts(num_classes, targets):
    """Reads the argument `num_classes` of this package's functions.

    Args:
        num_classes: None, a number, or for a dict of targets a dict of numbers by name.
        targets: One target, or a dict of targets by name.

    Returns:
        For each target that is a label, by what errors call it (`targets`, `targets['kind']`):
        its key (None for one target) and its number of classes.

    Raises:
        ValueError: if `num_classes` does not fit the targets.

    Example:

    >>> label_counts({"kind": 3}, {"kind": kinds, "size": sizes})
    {"targets['kind']": ("kind", 3)}
    """
    if num_classes is None:
        return {}
    if not isinstance(targets, dict):
        if isinstance(num_classes, dict):
            raise ValueError(
                f"`num_classes` must be a number for one target. Received: {num_classes!r}"
            )
        return {"targets": (None, arguments.whole_number("num_classes", num_classes))}
    if not isinstance(num_classes, dict) or not set(num_classes) <= set(targets):
        raise ValueError(
            "`num_classes` must be a dict of numbers by name for a dict of targets, with names "
            f"among {sorted(targets)}. Received: num_classes={num_classes!r}"
        )
    return {
        f"targets[{key!r}]": (key, arguments.whole_number(f"num_classes[{key!r}]", count))
        for key, count in num_classes.items()
    }
