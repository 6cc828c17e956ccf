"""Splits that keep groups together."""

import hashlib

import numpy as np

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def split_groups(groups, labels=None, shares=None) -> dict[str, np.ndarray]:
    """Splits examples so that no group is in two splits, and labels are in proportion in each.

    The groups of each label are walked in the order of the SHA-256 of their names, which is the
    same on every machine, and each goes to the split that lacks most of its share.

    Args:
        groups: For each example the name of its group: strings or whole numbers.
        labels: For each example its label; those of a group need not be equal (the most frequent
            one counts). None for no labels.
        shares: Dict from names of splits to their shares, which add up to 1. None for 0.8 for
            train, 0.1 for validation and 0.1 for test.

    Returns:
        Dict from the names of splits to arrays of indices of examples, sorted.

    Raises:
        ValueError: if `groups` and `labels` differ in length.

    Example:

    >>> split_groups(["a", "b", "a", "c"], shares={"train": 0.75, "test": 0.25})
    {'train': array([0, 2, 3]), 'test': array([1])}
    """
    shares = SHARES if shares is None else shares
    groups = np.asarray(groups)
    labels = np.zeros(len(groups), "int64") if labels is None else np.asarray(labels)
    if len(labels) != len(groups):
        raise ValueError(
            f"`labels` must be one for each of the {len(groups)} examples. Received: {len(labels)}"
        )
    names, group_of = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group_of)
    kinds, kind_of = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(names), len(kinds)), "int64")
    np.add.at(counts, (group_of, kind_of), 1)
    kind_of_group = counts.argmax(1)
    order = np.argsort([hashlib.sha256(str(name).encode()).hexdigest() for name in names])
    split_of = np.empty(len(names), "int64")
    for kind in range(len(kinds)):
        members = [group for group in order if kind_of_group[group] == kind]
        lacks = np.array(list(shares.values())) * sizes[members].sum()
        for group in members:
            split_of[group] = lacks.argmax()
            lacks[split_of[group]] -= sizes[group]
    return {name: np.flatnonzero(split_of[group_of] == index) for index, name in enumerate(shares)}
