import collections

import numpy as np
import pytest

from tests.data.sources.prepared import column, counts, prepared, read

# The table of lines and treatments in the notebook of geomstats.
KNOWN = {
    ("dunn", "control"): 204,
    ("dunn", "cytd"): 93,
    ("dunn", "jasp"): 95,
    ("dlm8", "control"): 114,
    ("dlm8", "cytd"): 82,
    ("dlm8", "jasp"): 62,
}


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("cell_contours", tmp_path_factory.mktemp("data"))


def kinds(builder, split):
    features = builder.info.features
    return collections.Counter(
        (features["cell_line"].int2str(e["cell_line"]), features["label"].int2str(e["label"]))
        for e in read(builder, split)
    )


def test_lines_and_treatments_are_in_proportion(builder):
    assert counts(builder) == {"train": 521, "validation": 66, "test": 63}
    found = {split: kinds(builder, split) for split in counts(builder)}
    assert sum(found.values(), collections.Counter()) == KNOWN
    for kind, count in KNOWN.items():
        for split, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
            assert abs(found[split][kind] - share * count) <= 2


def test_outlines(builder):
    outlines = {split: column(builder, split, "points") for split in counts(builder)}
    everything = sum(outlines.values(), [])
    lengths = [len(points) for points in everything]
    assert (min(lengths), max(lengths), len(everything)) == (20, 1759, 650)
    for points in everything:
        assert points.dtype == "float32" and points.shape[1] == 2
        np.testing.assert_allclose(points.mean(0), 0, atol=1e-3)
        steps = np.diff(points, axis=0)
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)  # pixels
    rows = {split: {p.tobytes() for p in points} for split, points in outlines.items()}
    assert not rows["train"] & (rows["test"] | rows["validation"])
    assert not rows["validation"] & rows["test"]
    assert len(set().union(*rows.values())) == 648


def test_copies_are_in_one_group(tmp_path, monkeypatch):
    """Whichever split it is that they go to."""
    from keras_perceiver.data.sources import cell_contours

    asked = []

    def all_for_training(groups, labels):
        asked.append((list(groups), list(labels)))
        return {"train": range(len(groups))}

    monkeypatch.setattr(cell_contours, "split_groups", all_for_training)
    builder = prepared("cell_contours", tmp_path)
    ((groups, labels),) = asked
    assert len(set(labels)) == 6 and len(labels) == 650
    outlines = [points.tobytes() for points in column(builder, "train", "points")]
    assert len(set(groups)) == len(set(outlines)) == 648
