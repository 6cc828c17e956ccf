import collections

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
    everything = [example for split in counts(builder) for example in read(builder, split)]
    lengths = [len(e["series"]) for e in everything]
    assert (min(lengths), max(lengths)) == (947, 2618)
    assert sum(lengths) == 244_102
    for example in everything:
        series = example["series"]
        assert series.dtype == "float32" and series.shape[1] == 6 and np.isfinite(series).all()
        # Accelerations are in units of gravity, which is in them.
        assert 0.8 < np.linalg.norm(series[:, :3], axis=1).mean() < 1.6
