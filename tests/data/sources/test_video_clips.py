import numpy as np
import pytest

from tests.data.sources.prepared import counts, prepared, read

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    pytest.importorskip("av")
    return prepared("video_clips", tmp_path_factory.mktemp("data"))


def frames(builder, split):
    """Each frame of the split once, by clip and number."""
    names = builder.info.features["clip"].names
    return {
        (names[example["clip"]], int(example["start"]) + i): frame
        for example in read(builder, split)
        for i, frame in enumerate(example["video"])
    }


def test_no_frame_is_in_both_splits(builder):
    assert counts(builder) == {"train": 52, "test": 14}
    train, test = (frames(builder, split) for split in ("train", "test"))
    assert not set(train) & set(test)
    assert {number for clip, number in test if clip == "bikes"} <= set(range(187, 242))
    assert {number for clip, number in test if clip != "bikes"} <= set(range(90, 120))
    assert {number for clip, number in train if clip == "bikes"} <= set(range(187))
    assert {number for clip, number in train if clip != "bikes"} <= set(range(90))


def test_no_piece_has_a_cut(builder):
    train = frames(builder, "train")  # a shot ends with frame 29
    cut = np.abs(train["bikes", 27].astype(float) - train["bikes", 30]).mean()
    for split in counts(builder):
        for example in read(builder, split):
            assert example["video"].shape == (16, 64, 64, 3) and example["video"].dtype == "uint8"
            assert example["video"].std() > 20
            steps = np.abs(np.diff(example["video"].astype(float), axis=0)).mean((1, 2, 3))
            assert steps.max() < 40 < cut


def test_the_other_size(tmp_path):
    pytest.importorskip("av")
    builder = prepared("video_clips", tmp_path, config="48x64")
    assert counts(builder) == {"train": 52, "test": 14}
    assert read(builder, "test")[0]["video"].shape == (16, 48, 64, 3)
