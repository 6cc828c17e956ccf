import numpy as np
import pytest

from tests.data.sources.prepared import builder_class, column, counts, prepared

# Examples for training and test, classes, shortest and longest series, channels: those of the
# archive.
KNOWN = {
    "acsf1": (100, 100, 10, 1460, 1460, 1),
    "arrow_head": (36, 175, 3, 251, 251, 1),
    "basic_motions": (40, 40, 4, 100, 100, 6),
    "gun_point": (50, 150, 2, 150, 150, 1),
    "italy_power_demand": (67, 1029, 2, 24, 24, 1),
    "japanese_vowels": (270, 370, 9, 7, 29, 12),
    "osu_leaf": (200, 242, 6, 427, 427, 1),
    "pickup_gesture_wiimote_z": (50, 50, 10, 29, 361, 1),
    "unit_test": (20, 22, 2, 24, 24, 1),
}
# One test series of arrow_head is there twice; one of unit_test is in its training set, too.
COPIES = {"arrow_head": 1, "unit_test": 1}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def test_there_is_no_other_configuration():
    assert list(builder_class("time_series").builder_configs) == list(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_a_problem_is_as_the_archive_describes_it(name, directory):
    train, test, classes, shortest, longest, channels = KNOWN[name]
    builder = prepared("time_series", directory, config=name)
    assert counts(builder) == {"train": train, "test": test}
    assert builder.info.features["label"].num_classes == classes
    lengths, seen = [], set()
    for split in ("train", "test"):
        labels = column(builder, split, "label")
        assert set(labels) == set(range(classes))
        for series in column(builder, split, "series"):
            assert series.dtype == "float32" and series.shape[1] == channels
            assert np.isfinite(series).all()
            lengths.append(len(series))
            seen.add(series.tobytes())
    assert (min(lengths), max(lengths)) == (shortest, longest)
    assert len(lengths) - len(seen) == COPIES.get(name, 0)


def test_the_table_of_the_docstring():
    rows = [
        [cell.strip().replace(",", "") for cell in line.strip(" |").split("|")]
        for line in builder_class("time_series").__doc__.splitlines()
        if line.strip().startswith("| ") and "configuration" not in line
    ]
    assert len(rows) == len(KNOWN)
    for row, (name, (train, test, classes, shortest, longest, channels)) in zip(
        rows, KNOWN.items()
    ):
        steps = str(longest) if shortest == longest else f"{shortest} to {longest}"
        assert row[0] == name
        assert row[2:] == [f"{train} {test}", str(classes), steps, str(channels)]
