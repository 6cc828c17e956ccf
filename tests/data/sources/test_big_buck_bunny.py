import numpy as np
import pytest

from tests.data.sources.prepared import builder_class, column, counts, prepared, read

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    pytest.importorskip("av")
    return prepared("big_buck_bunny", tmp_path_factory.mktemp("data"))


def check(builder, height, width):
    assert counts(builder) == {"train": 22, "test": 5}
    for split in counts(builder):
        for example in read(builder, split):
            assert example["video"].shape == (16, height, width, 3)
            assert example["video"].dtype == "uint8" and example["video"].std() > 30
            assert example["audio"].shape == (30720, 2) and example["audio"].dtype == "float32"
            assert 1e-3 < example["audio"].std() < 0.1 and np.abs(example["audio"]).max() < 1


def test_pieces(builder):
    assert builder.builder_config.name == "64x64"  # by default
    check(builder, 64, 64)


def test_no_frame_is_in_both_splits(builder):
    frames = {
        split: {start + i for start in column(builder, split, "start") for i in range(16)}
        for split in counts(builder)
    }
    assert frames == {"train": set(range(100)), "test": set(range(100, 132))}


def test_sound_and_picture_move_together(builder):
    """Pieces that overlap have the same frames and, 1,920 samples a frame, the same sound."""
    pieces = {example["start"]: example for example in read(builder, "train")}
    for start in (0, 40, 80):
        first, second = pieces[start], pieces[start + 4]
        np.testing.assert_array_equal(first["video"][4:], second["video"][:12])
        np.testing.assert_array_equal(first["audio"][4 * 1920 :], second["audio"][: 12 * 1920])
        assert (first["audio"][: 4 * 1920] != second["audio"][: 4 * 1920]).any()


@pytest.mark.parametrize("height, width", [(36, 64), (72, 128)])
def test_other_sizes(tmp_path, height, width):
    pytest.importorskip("av")
    check(prepared("big_buck_bunny", tmp_path, config=f"{height}x{width}"), height, width)


def test_sizes_are_the_configurations():
    assert list(builder_class("big_buck_bunny").builder_configs) == ["64x64", "36x64", "72x128"]
