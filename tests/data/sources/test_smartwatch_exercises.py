import collections
import importlib.util

import numpy as np
import pytest

from tests.data.sources.prepared import column, counts, prepared, read


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("smartwatch_exercises", tmp_path_factory.mktemp("data"))


def test_no_person_is_in_two_splits(builder):
    assert counts(builder) == {"train": 98, "validation": 14, "test": 28}
    people = {split: set(column(builder, split, "subject")) for split in counts(builder)}
    assert people == {"train": set(range(1, 8)), "validation": {8}, "test": {9, 10}}


def test_each_person_did_each_exercise_once_with_either_arm(builder):
    everything = [example for split in counts(builder) for example in read(builder, split)]
    done = collections.Counter((e["subject"], e["label"], e["side"]) for e in everything)
    assert len(done) == 10 * 7 * 2 and set(done.values()) == {1}


def test_recordings_are_those_of_the_file(builder):
    (root,) = importlib.util.find_spec("seglearn").submodule_search_locations
    watch = np.load(f"{root}/data/watch_dataset.npy", allow_pickle=True).item()
    known = {
        (subject, label, side): series.astype("float32")
        for series, subject, label, side in zip(
            watch["X"], watch["subject"], watch["y"], watch["side"]
        )
    }
    assert builder.info.features["label"].names == list(watch["y_labels"])
    lengths = []
    for split in counts(builder):
        for e in read(builder, split):
            np.testing.assert_array_equal(e["series"], known[e["subject"], e["label"], e["side"]])
            assert e["series"].dtype == "float32" and np.isfinite(e["series"]).all()
            lengths.append(len(e["series"]))
    assert (min(lengths), max(lengths), len(lengths)) == (947, 2618, 140)
