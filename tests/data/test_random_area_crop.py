"""Windows of random area and shape."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.data.random_area_crop import random_window


def places(height, width):
    """An image whose first two channels are the row and the column of each pixel."""
    image = np.zeros((height, width, 3), "float32")
    image[..., 0], image[..., 1] = np.arange(height)[:, None], np.arange(width)
    return tf.constant(image)


def windows(height, width, count, **ranges):
    """(top, left, height, width) of windows of one image."""
    image = places(height, width)

    def corners(seed):
        window = random_window(image, seed, **ranges)
        return tf.concat([window[0, 0, :2], tf.cast(tf.shape(window)[:2], tf.float32)], axis=0)

    seeds = tf.random.experimental.stateless_split((1, 2), count)
    return np.stack(list(tf.data.Dataset.from_tensor_slices(seeds).map(corners))).T


def test_areas_shapes_and_places():
    top, left, height, width = windows(120, 200, 3000)
    area, aspect = height * width / (120 * 200), width / height
    assert 0.09 < area.min() < 0.15
    assert 0.7 < area.max() < 0.81  # 160 by 120 is the largest window of this image
    assert (aspect > 0.75 - 0.03).all() and (aspect < 4 / 3 + 0.03).all()
    # Without the upper limits that the image sets to wide windows, both are uniform.
    assert abs(np.median(aspect[area < 0.3]) - (3 / 4 + 4 / 3) / 2) < 0.04
    assert abs(np.mean(area[area < 0.4]) - (0.1 + 0.4) / 2) < 0.02
    assert top.min() == 0 and left.min() == 0
    assert (top + height).max() >= 119 and (left + width).max() >= 199
    free = (120 - height > 20) & (200 - width > 20)
    assert abs(np.mean(top[free] / (120 - height[free])) - 0.5) < 0.03
    assert abs(np.mean(left[free] / (200 - width[free])) - 0.5) < 0.03


@pytest.mark.parametrize("height, width", [(40, 801), (801, 40)])
def test_where_nothing_fits_the_square_in_the_middle_is_taken(height, width):
    found = windows(height, width, 5, area=(0.9, 1.0))
    side = int(0.875 * 40)
    start = [(n - side + 1) // 2 for n in (height, width)]
    np.testing.assert_array_equal(found.T, [[*start, side, side]] * 5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3)])
def test_tiny_images(size):
    found = kp.data.random_area_crop(np.full((7, *size, 3), 9, "uint8"), (3, 5), 4, 3)
    np.testing.assert_allclose(found, np.full((7, 4, 3, 3), 9), atol=1e-4)


def test_resizing_is_bicubic():
    image = tf.constant(np.random.default_rng(0).integers(0, 256, (31, 47, 3), "uint8"))
    found = kp.data.random_area_crop(image, (3, 5), 9, 11)
    wanted = tf.image.resize(random_window(image, (3, 5)), (9, 11), "bicubic")
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_eager_pipeline_and_unknown_shapes_agree():
    images = np.random.default_rng(0).integers(0, 256, (6, 31, 47, 3), "uint8")

    def crop(batch, seed=(3, 5)):
        return kp.data.random_area_crop(batch, seed, 9, 11)

    wanted = crop(images)
    assert wanted.dtype == tf.float32 and wanted.shape == (6, 9, 11, 3)
    spec = tf.TensorSpec((None,) * 4, tf.uint8)
    dataset = tf.data.Dataset.from_generator(lambda: iter([images]), output_signature=spec)
    dataset = dataset.map(crop)
    assert dataset.element_spec.shape == (None, 9, 11, 3)
    (found,) = dataset
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    np.testing.assert_array_equal(crop(images), wanted)
    assert (crop(images, (3, 6)) != wanted.numpy()).numpy().any()
    alike = crop(np.repeat(images[:1], 6, axis=0)).numpy()
    assert len({image.tobytes() for image in alike}) == 6


@pytest.mark.parametrize(
    "change, message",
    [
        ({"images": np.zeros((4, 5, 1), "uint8")}, r"`images` must be.*\(4, 5, 1\)"),
        ({"seed": (1, 2, 3)}, "`seed`"),
        ({"height": 0}, "`height`"),
        ({"width": 2.5}, "`width`"),
        ({"area": (0.5, 0.2)}, r"`area\[1\]` must be .*at least 0.5"),
        ({"area": (0.0, 1.0)}, r"`area\[0\]` must be .*above 0"),
        ({"area": (0.5, 1.5)}, r"`area\[1\]` must be .*at most 1"),
        ({"area": 0.5}, "`area` must be two numbers"),
        ({"aspect": (1, 2, 3)}, "`aspect` must be two numbers"),
    ],
)
def test_bad_arguments(change, message):
    good = {"images": np.zeros((4, 5, 3), "uint8"), "seed": (3, 5), "height": 2, "width": 2}
    with pytest.raises(ValueError, match=message):
        kp.data.random_area_crop(**{**good, **change})
