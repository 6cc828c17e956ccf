import numpy as np
import pytest

from keras_perceiver.data.sources.split_groups import split_groups


def test_single_examples_are_split_in_proportion():
    labels = np.repeat([3, 5, 11], [100, 41, 7])
    splits = split_groups(np.arange(148), labels)
    assert list(splits) == ["train", "validation", "test"]
    everything = np.concatenate(list(splits.values()))
    assert sorted(everything) == list(range(148))
    for label, count in ((3, 100), (5, 41), (11, 7)):
        for name, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
            assert abs((labels[splits[name]] == label).sum() - share * count) <= 1


def test_no_group_is_in_two_splits():
    rng = np.random.default_rng(7)
    groups, labels = rng.integers(0, 61, 997), rng.integers(0, 3, 997)
    splits = split_groups([f"group {g}" for g in groups], labels, {"a": 0.5, "b": 0.3, "c": 0.2})
    found = {name: set(groups[indices]) for name, indices in splits.items()}
    assert not found["a"] & found["b"] and not found["a"] & found["c"]
    assert not found["b"] & found["c"]
    sizes = [len(indices) for indices in splits.values()]
    assert sum(sizes) == 997 and np.abs(np.array(sizes) / 997 - [0.5, 0.3, 0.2]).max() < 0.05


def test_the_split_is_that_of_every_machine_and_not_of_the_order():
    # By SHA-256 the letters come in the order d f c b e a g, and go to the splits in turn.
    for groups in ("abcdefg", "gfedcba"):
        splits = split_groups(list(groups), shares={"train": 0.5, "test": 0.5})
        assert {name: {groups[i] for i in found} for name, found in splits.items()} == {
            "train": set("dceg"),
            "test": set("fba"),
        }


def test_labels_are_as_many_as_groups():
    with pytest.raises(ValueError, match="`labels` must be one for each of the 3 examples.* 2"):
        split_groups(["a", "b", "c"], [0, 1])
