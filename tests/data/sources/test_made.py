"""What holds for all made data."""

import numpy as np
import pytest

from keras_perceiver.data.sources.battlefields import Battlefields
from keras_perceiver.data.sources.moving_digits import MovingDigits
from keras_perceiver.data.sources.sound_events import SoundEvents
from keras_perceiver.data.sources.surface_points import SurfacePoints
from tests.data.sources.prepare_and_read import examples, prepare

SIZES = {"num_train": 7, "num_validation": 3, "num_test": 5}
SMALL = {
    Battlefields: {"num_entities": 14},
    MovingDigits: {"num_frames": 3, "size": 11, "frame_rate": 5, "sampling_rate": 1000},
    SoundEvents: {"num_samples": 321},
    SurfacePoints: {"num_points": 37},
}
SHAPES = {
    Battlefields: {
        "entities": ((14, 7), "float32"),
        "entities_mask": ((14,), "bool"),
        "winner": ((), "int64"),
        "nearest_enemy": ((14,), "int32"),
        "nearest_enemy_kind": ((14,), "int32"),
    },
    MovingDigits: {
        "video": ((3, 11, 11, 1), "uint8"),
        "audio": ((600, 1), "float32"),
        "digit": ((), "int64"),
        "tone": ((), "int64"),
        "joint": ((), "int64"),
        "labels": ((25,), "uint8"),
    },
    SoundEvents: {"audio": ((321, 1), "float32"), "labels": ((6,), "uint8")},
    SurfacePoints: {"points": ((37, 3), "float32"), "label": ((), "int64")},
}


def same(one, other):
    return all(np.array_equal(one[key], other[key]) for key in one)


@pytest.fixture(params=SMALL, ids=lambda builder: builder.name)
def made(request):
    return request.param


def test_shapes_splits_and_seeds(made, tmp_path):
    builder = prepare(made(data_dir=tmp_path, **SMALL[made], **SIZES))
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "train": 7,
        "validation": 3,
        "test": 5,
    }
    found = {split: examples(builder, split) for split in builder.info.splits}
    for example in found["train"]:
        assert {k: (v.shape, v.dtype.name) for k, v in example.items()} == SHAPES[made]
    every = [example for split in found.values() for example in split]
    key = next(iter(SHAPES[made]))
    assert len({example[key].tobytes() for example in every}) == 15  # none twice
    again = prepare(made(data_dir=tmp_path / "again", **SMALL[made], **SIZES))
    assert all(map(same, found["test"], examples(again, "test")))
    other = examples(prepare(made(data_dir=tmp_path, seed=1, **SMALL[made], **SIZES)), "test")
    assert not any(same(one, another) for one in found["test"] for another in other)
    more = {**SIZES, "num_test": 6}  # the others stay as they were
    longer = examples(prepare(made(data_dir=tmp_path, **SMALL[made], **more)), "test")
    assert sum(same(one, another) for one in found["test"] for another in longer) == 5


@pytest.mark.parametrize(
    "options, message",
    [
        ({"seed": -1}, "`seed` must be a whole number of at least 0"),
        ({"num_validation": 0}, "`num_validation` must be a whole number of at least 1"),
        ({"num_test": 2.0}, "`num_test` must be a whole number"),
        ({"config": "big"}, "`config` must be None, because the options"),
    ],
)
def test_bad_arguments(made, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        made(data_dir=tmp_path, **options)
    with pytest.raises(TypeError, match="wrong"):
        made(data_dir=tmp_path, wrong=1)


@pytest.mark.parametrize(
    "builder, options, message",
    [
        (MovingDigits, {"size": 7}, "`size` must be a whole number of at least 8"),
        (MovingDigits, {"num_joint": 3}, r"`num_joint` must be one of \(2, 5, 10\)"),
        (MovingDigits, {"frame_rate": 7}, "`sampling_rate` must give a whole number of samples"),
        (SurfacePoints, {"num_points": 0}, "`num_points` must be a whole number of at least 1"),
        (SurfacePoints, {"noise": -1}, "`noise` must be a whole number of at least 0"),
        (SoundEvents, {"num_samples": 63}, "`num_samples` must be a whole number of at least 64"),
        (SoundEvents, {"sampling_rate": 99}, "`sampling_rate` must be a whole number of at least"),
        (Battlefields, {"num_entities": 4}, "`num_entities` must be a whole number of at least 6"),
        (Battlefields, {"num_entities": 9}, "`num_entities` must be divisible by"),
    ],
)
def test_bad_options(tmp_path, builder, options, message):
    with pytest.raises(ValueError, match=message):
        builder(data_dir=tmp_path, **options)
