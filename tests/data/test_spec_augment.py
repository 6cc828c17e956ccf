"""Masks of spectrograms."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.data.quiet_tensorflow_io import tensorflow_io_audio

ONES = np.ones((2000, 13, 7, 2), "float32")


def runs(kept):
    """(start, width) of the zeros in a row, which must be neighbours."""
    places = np.flatnonzero(kept == 0)
    if not len(places):
        return None, 0
    assert np.ptp(places) == len(places) - 1
    return places[0], len(places)


@pytest.mark.parametrize("axis, size, most", [(1, 13, 5), (2, 7, 3), (2, 7, 99)])
def test_widths_and_places_are_uniform(axis, size, most):
    chosen = {"max_frames": most, "num_band_masks": 0, "num_frame_masks": 1}
    if axis == 2:
        chosen = {"max_bands": most, "num_band_masks": 1, "num_frame_masks": 0}
    masked = kp.data.spec_augment(ONES, (3, 5), **chosen).numpy()
    along = masked.max(axis=tuple({1, 2, 3} - {axis}))
    np.testing.assert_array_equal(masked, ONES * np.expand_dims(along, [2, 1][axis - 1])[..., None])
    found = [runs(row) for row in along]
    most = min(most, size)
    counts = np.bincount([width for _, width in found], minlength=most + 1)
    assert len(counts) == most + 1
    np.testing.assert_allclose(counts / 2000, 1 / (most + 1), atol=0.03)
    starts = [start for start, width in found if width == 2]
    counts = np.bincount(starts, minlength=size - 1)
    assert len(counts) == size - 1
    np.testing.assert_allclose(counts / len(starts), 1 / (size - 1), atol=0.1)


def test_widths_are_those_of_tensorflow_io_but_for_the_largest():
    pytest.importorskip("tensorflow_io")
    audio, image = tensorflow_io_audio(), tf.ones((13, 7))
    masks = tf.data.Dataset.range(2000).map(lambda _: audio.time_mask(image, 6))
    theirs = np.mean([(row[:, 0] == 0).sum() for row in masks.as_numpy_iterator()])
    ours = kp.data.spec_augment(ONES, (3, 5), 0, 5, 0, 1)  # theirs is below 6, ours at most 5
    assert abs((ours[..., 0, 0].numpy() == 0).sum(axis=1).mean() - theirs) < 0.2


def test_several_masks_of_both_kinds():
    masked = kp.data.spec_augment(ONES, (3, 5), 2, 4, 2, 3).numpy()[..., 0]
    bands = (masked == 0).all(axis=1).sum(axis=1)
    frames = (masked == 0).all(axis=2).sum(axis=1)
    assert bands.max() == 4 and 8 < frames.max() <= 12
    whole = (masked.max(axis=2)[:, :, None] > 0) & (masked.max(axis=1)[:, None] > 0)
    np.testing.assert_array_equal(masked, whole)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_eager_pipeline_and_unknown_shapes_agree(dtype):
    batch = np.random.default_rng(2).normal(size=(5, 11, 3, 1)).astype(dtype)

    def augment(batch):
        return kp.data.spec_augment(batch, (1, 2), fill=-1.5)

    wanted = augment(batch)
    assert wanted.dtype == dtype
    assert set(np.unique(wanted[batch != wanted])) == {-1.5}
    spec = tf.TensorSpec((None, None, None, None), dtype)
    dataset = tf.data.Dataset.from_generator(lambda: iter([batch]), output_signature=spec)
    (found,) = dataset.map(augment)
    np.testing.assert_array_equal(found, wanted)
    assert augment(batch[0]).shape == (11, 3, 1)


def test_the_seed_decides_and_examples_differ():
    first, again, other = (kp.data.spec_augment(ONES, (3, s)).numpy() for s in (5, 5, 7))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() and (first[:1] != first).any()


def test_nothing_to_mask():
    empty = kp.data.spec_augment(np.zeros((0, 0, 3, 1), "float32"), (3, 5))
    assert empty.shape == (0, 0, 3, 1)
    np.testing.assert_array_equal(kp.data.spec_augment(ONES, (3, 5), 0, 0), ONES)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"spectrograms": ONES[0, 0]}, r"`spectrograms` must be floats.*\(7, 2\)"),
        ({"spectrograms": ONES.astype(int)}, "`spectrograms` must be floats.*int64"),
        ({"seed": 3}, "`seed` must be two whole numbers"),
        ({"max_bands": -1}, "`max_bands`"),
        ({"max_frames": 0.5}, "`max_frames`"),
        ({"num_band_masks": None}, "`num_band_masks`"),
        ({"num_frame_masks": True}, "`num_frame_masks`"),
        ({"fill": np.nan}, "`fill`"),
    ],
)
def test_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        kp.data.spec_augment(**{"spectrograms": ONES, "seed": (3, 5), **change})
