import numpy as np
import pytest
import tensorflow as tf

from keras_perceiver.data import digits, random_shift


def read(dataset):
    images, labels = zip(*dataset.as_numpy_iterator())
    return np.concatenate(images), np.concatenate(labels)


def rows(images):
    """The set of images."""
    return {image.tobytes() for image in images}


def test_images_and_labels():
    train, test = digits(batch_size=31, seed=5)
    for dataset in (train, test):
        images, labels = dataset.element_spec
        assert images == tf.TensorSpec((None, 8, 8, 1), tf.float32)
        assert labels == tf.TensorSpec((None,), tf.int32)
    (train_images, train_labels), (test_images, test_labels) = read(train), read(test)
    assert (len(train_images), len(test_images)) == (1437, 360)
    assert train_images.min() == test_images.min() == 0
    assert train_images.max() == test_images.max() == 1
    # Each class has its share: 174 to 183 of 1,797 examples.
    assert set(np.bincount(test_labels)) <= {35, 36, 37}
    assert np.bincount(train_labels).min() >= 139
    assert not rows(train_images) & rows(test_images)


def test_they_are_scikit_learns_with_the_right_labels():
    from sklearn.datasets import load_digits

    bundled = load_digits()
    labels = {
        (i / 16).astype("float32").tobytes(): t for i, t in zip(bundled.images, bundled.target)
    }
    for dataset in digits(seed=5):
        for image, label in zip(*read(dataset)):
            assert labels[image.tobytes()] == label


def test_the_seed_fixes_split_and_order():
    train, test = digits(seed=5)
    again_train, again_test = digits(seed=5)
    first, second = read(train)[1], read(train)[1]
    assert (first != second).any()  # a new order each epoch
    np.testing.assert_array_equal(first, read(again_train)[1])
    np.testing.assert_array_equal(second, read(again_train)[1])
    np.testing.assert_array_equal(read(test)[0], read(again_test)[0])
    assert rows(read(test)[0]) != rows(read(digits(seed=7)[1])[0])


def test_augmentation_moves_training_images_only():
    train, test = digits(seed=5)
    moved_train, moved_test = digits(seed=5, augment=random_shift)
    np.testing.assert_array_equal(read(test)[0], read(moved_test)[0])
    original, moved = rows(read(train)[0]), read(moved_train)[0]
    unmoved = np.mean([image.tobytes() in original for image in moved])
    assert 1 / 9 < unmoved < 1 / 3  # one way in nine, and shifts along empty borders


def test_bad_arguments():
    with pytest.raises(ValueError, match="`batch_size` must be a whole number of at least 1"):
        digits(batch_size=0)
    with pytest.raises(ValueError, match="`seed` must be a whole number of at least 0"):
        digits(seed=-1)


def test_without_scikit_learn(monkeypatch):
    def import_module(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="sklearn")

    monkeypatch.setattr("keras_perceiver.extras.importlib.import_module", import_module)
    with pytest.raises(ImportError, match=r"scikit-learn.*'keras-perceiver\[examples\]'"):
        digits()
