"""Which part of a data set is for training, for choosing and for the last score."""

THREE = ("train", "validation", "test")


def usual_splits(builder, names=None):
    """{"train", "validation", "test": split expression}, from the splits that the data set has.

    Data without a test split, or without labels there, are tested on their validation split, and
    the last tenth of the training split is then kept for validation. Data with a training split
    alone are divided 80 : 10 : 10.

    Args:
        builder: A builder of TFDS.
        names: The splits of the data set with labels. Default: those known, if it is prepared. A
            dict is returned as it is.
    """
    if isinstance(names, dict):
        return names
    names = set(names or builder.info.splits or ("train", "test"))
    if names >= set(THREE):
        return {name: name for name in THREE}
    if "train" not in names:
        return {name: name for name in sorted(names)}
    if names == {"train"}:
        return {"train": "train[:80%]", "validation": "train[80%:90%]", "test": "train[90%:]"}
    last = next((name for name in ("test", "valid", "validation") if name in names), None)
    if last is None:
        return {name: name for name in sorted(names)}
    return {"train": "train[:90%]", "validation": "train[90%:]", "test": last}
