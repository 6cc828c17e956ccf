import collections

import numpy as np
import pytest

from tests.data.sources.prepared import column, counts, prepared, read

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("arm_gestures", tmp_path_factory.mktemp("data"))


def test_no_session_is_in_train_and_test_and_no_recording_in_two_splits(builder):
    assert counts(builder) == {"train": 1055, "validation": 212, "test": 1269}
    sessions = {split: set(column(builder, split, "experiment")) for split in counts(builder)}
    assert sessions["train"] == sessions["validation"] == {b"mg_s1", b"rr_s1"}
    assert sessions["test"] == {b"mg_s2", b"rr_s2"}
    recordings = {split: set(column(builder, split, "recording")) for split in counts(builder)}
    assert {split: len(found) for split, found in recordings.items()} == {
        "train": 10,
        "validation": 2,
        "test": 12,
    }
    assert set().union(*recordings.values()) == set(range(24))


def test_each_sign_of_each_recording_has_21_or_22_windows(builder):
    everything = [example for split in counts(builder) for example in read(builder, split)]
    found = collections.Counter((e["recording"], e["label"]) for e in everything)
    assert len(found) == 24 * 5 and set(found.values()) == {21, 22}


def test_windows_are_as_recorded_and_do_not_overlap(builder):
    everything = [
        example["series"] for split in counts(builder) for example in read(builder, split)
    ]
    assert everything[0].shape == (256, 8) and everything[0].dtype == "float32"
    values = np.array(everything)
    assert values.min() >= 27 and values.max() <= 249 and (values == np.round(values)).all()
    assert abs(values.mean() - 127.5) < 0.05
    assert len({window.tobytes() for window in everything}) == len(everything)


def test_the_hand_works_harder_than_at_rest(builder):
    """The label is that of the rows: the spread of each sign but rest is larger."""
    names = builder.info.features["label"].names
    spread = collections.defaultdict(list)
    for example in read(builder, "test"):
        spread[names[example["label"]]].append(example["series"].std())
    means = {name: np.mean(values) for name, values in spread.items()}
    assert set(means) == {"rest", "rock", "paper", "scissors", "ok"}
    assert 1.4 * means.pop("rest") < min(means.values())
