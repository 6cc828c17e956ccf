import numpy as np
import pytest
import tensorflow as tf

from keras_perceiver.data import random_shift

IMAGES = 1.0 + np.arange(200 * 3 * 5 * 2, dtype="float32").reshape(200, 3, 5, 2)


def moved(image, down, right):
    """The image moved by whole pixels, zeros where nothing came."""
    height, width, _ = image.shape
    result = np.zeros_like(image)
    rows, columns = slice(max(down, 0), height + down), slice(max(right, 0), width + right)
    source = image[max(-down, 0) : height - down, max(-right, 0) : width - right]
    result[rows, columns] = source[: height - abs(down), : width - abs(right)]
    return result


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_each_image_is_moved_by_at_most_one_pixel_and_all_nine_ways_occur(in_pipeline):
    if in_pipeline:
        dataset = tf.data.Dataset.from_tensors(IMAGES).map(lambda x: random_shift(x, (3, 5)))
        (shifted,) = dataset.as_numpy_iterator()
    else:
        shifted = random_shift(IMAGES, seed=(3, 5)).numpy()
    ways = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    found = [
        [way for way in ways if np.array_equal(moved(image, *way), result)]
        for image, result in zip(IMAGES, shifted)
    ]
    assert all(len(way) == 1 for way in found)
    counts = [found.count([way]) for way in ways]
    assert min(counts) > 200 / 9 / 2  # about equally often


def test_the_seed_decides():
    first, again, other = (random_shift(IMAGES, seed=(3, s)).numpy() for s in (5, 5, 7))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_no_shift_and_dtype():
    images = IMAGES.astype("uint8")
    shifted = random_shift(images, seed=(3, 5), max_shift=0)
    assert shifted.dtype == tf.uint8
    np.testing.assert_array_equal(shifted, images)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`images` must have shape.*\(7, 3, 5\)"):
        random_shift(np.zeros((7, 3, 5)), seed=(3, 5))
    with pytest.raises(ValueError, match="`max_shift` must be a whole number.*max_shift=0.5"):
        random_shift(IMAGES, seed=(3, 5), max_shift=0.5)
