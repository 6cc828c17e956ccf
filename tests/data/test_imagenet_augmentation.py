"""The training batches of the ImageNet models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.data.random_area_crop import random_window
from keras_perceiver.preparation.image_preparation import MEAN, STD

SEED = (3, 5)
SMALL = {"image_size": 16, "num_classes": 10}


def photographs(count, height, width, seed=0):
    """Smooth colours, so that few pixels are like others."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (count, 4, 4, 3))
    return tf.cast(tf.image.resize(coarse, (height, width), "bilinear"), tf.uint8)


def levels(images):
    """Standardised colours as values from 0 to 255."""
    return (np.asarray(images) * STD + MEAN) * 255


def test_a_batch_of_the_paper():
    images, labels = photographs(12, 37, 53), np.arange(12) % 10
    mixed, weights = kp.data.imagenet_augmentation(images, labels, SEED, **SMALL)
    assert mixed.shape == (6, 16, 16, 3) and mixed.dtype == tf.float32
    assert weights.shape == (6, 10) and weights.dtype == tf.float32
    np.testing.assert_allclose(np.sum(weights, axis=1), 1, atol=1e-6)
    alone, same = kp.data.imagenet_augmentation(images, labels, SEED, mix=False, **SMALL)
    assert alone.shape == (12, 16, 16, 3)
    np.testing.assert_array_equal(same, np.eye(10)[labels])
    alone, mixed, weights = alone.numpy(), mixed.numpy(), weights.numpy()
    for i in range(3):  # quarters 0 and 1 by MixUp
        ratio = weights[i, labels[i]]
        np.testing.assert_allclose(weights[i].sum(), 1, atol=1e-6)
        np.testing.assert_allclose(weights[i, labels[3 + i]], 1 - ratio, atol=1e-6)
        wanted = ratio * alone[i] + (1 - ratio) * alone[3 + i]
        np.testing.assert_allclose(mixed[i], wanted, atol=1e-4)
    for i in range(3):  # quarters 2 and 3 by CutMix
        first = (mixed[3 + i] == alone[6 + i]).all(axis=-1)
        second = (mixed[3 + i] == alone[9 + i]).all(axis=-1)
        assert (first | second).all()
        np.testing.assert_allclose(weights[3 + i, labels[6 + i]], first.mean(), atol=0.02)


def test_without_random_changes_the_order_is_crop_flip_resize_and_standardise():
    images = photographs(40, 37, 53)
    found, _ = kp.data.imagenet_augmentation(
        images, np.zeros(40, int), SEED, mix=False, num_layers=0, **SMALL
    )
    of_images = tf.random.experimental.stateless_split(SEED, 3)[0]
    flipped = 0
    for image, result, seed in zip(
        images, found, tf.random.experimental.stateless_split(of_images, 40)
    ):
        window = random_window(image, tf.random.experimental.stateless_split(seed, 3)[0])
        wanted = tf.image.resize(window, (16, 16), "bicubic").numpy()
        mirrored = tf.image.resize(window[:, ::-1], (16, 16), "bicubic").numpy()
        near = [np.abs(levels(result) - one).max() < 0.01 for one in (wanted, mirrored)]
        assert sum(near) == 1
        flipped += near[1]
    assert 10 <= flipped <= 30


def test_rand_augment_is_between_flip_and_resizing():
    images = photographs(24, 41, 29)
    for_all = {"labels": np.zeros(24, int), "seed": SEED, "mix": False, **SMALL}
    plain, _ = kp.data.imagenet_augmentation(images, num_layers=0, **for_all)
    one, _ = kp.data.imagenet_augmentation(images, num_layers=1, **for_all)
    changed = np.abs(levels(one) - levels(plain)).max(axis=(1, 2, 3)) > 0.01
    assert 10 <= changed.sum() <= 22  # four of sixteen change nothing at the paper's magnitude
    strong, _ = kp.data.imagenet_augmentation(images, num_layers=1, magnitude=9, **for_all)
    assert (np.abs(strong - one).max(axis=(1, 2, 3)) > 0.01).sum() > 10


@pytest.mark.slow
def test_ragged_encoded_and_dense_images_are_the_same():
    images, labels = photographs(8, 37, 53), np.arange(8)
    wanted = kp.data.imagenet_augmentation(images, labels, SEED, num_layers=0, **SMALL)
    examples = tf.data.Dataset.from_tensor_slices((images, labels))

    def augment(images, labels):
        return kp.data.imagenet_augmentation(images, labels, SEED, num_layers=0, **SMALL)

    def unknown_size(image, label):
        return tf.ensure_shape(
            tf.py_function(lambda i: i, [image], tf.uint8), (None, None, 3)
        ), label

    def encoded(image, label):
        return tf.io.encode_png(image), label

    for dataset in (
        examples.batch(8),
        examples.map(unknown_size).ragged_batch(8),
        examples.map(encoded).batch(8, drop_remainder=True),
    ):
        dataset = dataset.map(augment)
        assert dataset.element_spec[0].shape[1:] == (16, 16, 3)
        (found,) = dataset
        np.testing.assert_allclose(found[0], wanted[0], atol=1e-3)
        np.testing.assert_allclose(found[1], wanted[1], atol=1e-6)


def test_images_of_different_sizes():
    sizes = [(1, 1), (7, 3), (41, 19), (19, 41)]
    images = [photographs(1, *size)[0] for size in sizes]
    encoded = tf.stack([tf.io.encode_jpeg(image) for image in images])
    mixed, _ = kp.data.imagenet_augmentation(encoded, [0, 1, 2, 3], SEED, **SMALL)
    ragged = tf.ragged.stack([tf.RaggedTensor.from_tensor(image) for image in images])
    also, _ = kp.data.imagenet_augmentation(ragged, [0, 1, 2, 3], SEED, **SMALL)
    assert mixed.shape == also.shape == (2, 16, 16, 3)
    assert np.isfinite(mixed).all() and np.isfinite(also).all()


def test_the_seed_decides():
    images, labels = photographs(4, 23, 31), np.eye(10, dtype="float32")[:4]
    first, again, other = (
        kp.data.imagenet_augmentation(images, labels, (3, s), **SMALL)[0].numpy() for s in (5, 5, 7)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    alike = tf.repeat(images[:1], 8, axis=0)
    alone, _ = kp.data.imagenet_augmentation(alike, np.zeros(8, int), SEED, mix=False, **SMALL)
    assert len({image.tobytes() for image in alone.numpy()}) == 8


@pytest.mark.slow
def test_a_model_trains_on_it():
    images, labels = photographs(16, 20, 24), np.arange(16) % 10
    seeds = tf.data.Dataset.random(5, rerandomize_each_iteration=True).batch(2)
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8, drop_remainder=True)
    train = tf.data.Dataset.zip(batches, seeds).map(
        lambda example, seed: kp.data.imagenet_augmentation(*example, seed, **SMALL)
    )
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
    loss = keras.losses.CategoricalCrossentropy(True, label_smoothing=0.1)
    model.compile("sgd", loss, jit_compile=False)
    assert np.isfinite(model.fit(train, shuffle=False, verbose=0).history["loss"]).all()
    first, second = ([b[0].numpy() for b in train] for _ in range(2))
    assert (first[0] != second[0]).any()  # epochs differ


@pytest.mark.parametrize(
    "change, message",
    [
        ({"images": np.zeros((4, 5, 5, 3), "float32")}, "`images` must be uint8.*float32"),
        ({"images": np.zeros((4, 5, 5, 1), "uint8")}, r"`images` must be uint8.*\(4, 5, 5, 1\)"),
        ({"images": np.zeros((5, 5, 3), "uint8")}, r"`images` must be uint8.*\(5, 5, 3\)"),
        ({"images": "cat.jpg"}, "`images` must be uint8.*string"),
        ({"labels": ["a"] * 4}, "`labels` must be whole numbers"),
        ({"labels": np.zeros((4, 9), "float32")}, "`labels` must have 10 columns"),
        ({"seed": 5}, "`seed`"),
        ({"image_size": 0}, "`image_size`"),
        ({"num_classes": None}, "`num_classes`"),
        ({"num_layers": 1.5}, "`num_layers`"),
        ({"magnitude": -1}, "`magnitude`"),
        ({"mix": "both"}, "`mix`"),
        ({"mean": (1, 2)}, "`mean`"),
        ({"std": (1, 0, 1)}, r"`std\[1\]`"),
    ],
)
def test_bad_arguments(change, message):
    good = {"images": np.zeros((4, 5, 5, 3), "uint8"), "labels": [0] * 4, "seed": SEED, **SMALL}
    with pytest.raises(ValueError, match=message):
        kp.data.imagenet_augmentation(**{**good, **change})


@pytest.mark.parametrize(
    "images, labels, message",
    [
        (np.zeros((6, 5, 5, 3), "uint8"), [0] * 6, "multiple of 4"),
        (np.zeros((4, 5, 5, 3), "uint8"), [0] * 5, "as many as `(images|inputs)`"),
        (np.zeros((4, 5, 5, 3), "uint8"), [0, 0, 0, 10], "whole numbers from 0 to 9"),
        (np.zeros((4, 0, 5, 3), "uint8"), [0] * 4, "at least one pixel"),
        ([b"abc"] * 4, [0] * 4, "PNG or JPEG"),
    ],
)
def test_bad_batches(images, labels, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        kp.data.imagenet_augmentation(images, labels, SEED, **SMALL)
