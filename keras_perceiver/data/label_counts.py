"""The number of classes of each label target."""

from keras_perceiver import arguments


def label_counts(num_classes, targets):
    """Checks the argument `num_classes` and resolves it for each target.

    Args:
        num_classes: None or a number; for a dict of targets, a dict of numbers by name.
        targets: One target, or a dict of targets by name.

    Returns:
        A dict from the name of each label target in error messages (`targets`, `targets['kind']`)
        to its key (None for a single target) and its number of classes.

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
