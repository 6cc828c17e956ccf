"""MixUp and CutMix."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import keras_perceiver as kp


def test_mix_up_is_a_weighted_mean_of_halves():
    images = np.random.default_rng(2).normal(size=(10, 3, 5, 2)).astype("float32")
    labels = np.arange(10) % 7
    mixed, weights = kp.data.mix_up(images, labels, (3, 5), alpha=1.0, num_classes=10)
    assert mixed.shape == (5, 3, 5, 2) and weights.shape == (5, 10)
    ratios = weights.numpy()[np.arange(5), labels[:5]]
    assert len(set(ratios)) == 5
    shaped = ratios[:, None, None, None]
    np.testing.assert_allclose(mixed, shaped * images[:5] + (1 - shaped) * images[5:], atol=1e-6)
    eye = np.eye(10)
    wanted = ratios[:, None] * eye[labels[:5]] + (1 - ratios[:, None]) * eye[labels[5:]]
    np.testing.assert_allclose(weights, wanted, atol=1e-6)


def test_an_image_mixed_with_its_class_stays_in_it():
    labels = [4, 4]
    for mix in (kp.data.mix_up, kp.data.cut_mix):
        _, weights = mix(np.zeros((2, 3, 3, 1), "float32"), labels, (3, 5), num_classes=5)
        np.testing.assert_allclose(weights, [[0, 0, 0, 0, 1]], atol=1e-6)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0, 1e-3])
def test_ratios_are_from_the_beta_distribution(alpha):
    values = np.repeat([[1.0], [0.0]], 3000, axis=0)
    mixed, _ = kp.data.mix_up(values, values, (3, 5), alpha=alpha)
    ratios = mixed[:, 0].numpy()
    assert np.isfinite(ratios).all() and ratios.min() >= 0 and ratios.max() <= 1
    if alpha > 0.01:
        assert stats.kstest(ratios, stats.beta(alpha, alpha).cdf).pvalue > 1e-3
    else:
        assert 0.45 < ratios.mean() < 0.55


@pytest.mark.parametrize("height, width", [(13, 31), (1, 7), (1, 1), (64, 64)])
def test_cut_mix_keeps_the_first_image_in_a_box(height, width):
    images = np.concatenate([np.full((400, height, width, 1), v, "uint8") for v in (200, 3)])
    labels = np.repeat([0, 1], 400)
    mixed, weights = kp.data.cut_mix(images, labels, (3, 5), num_classes=2)
    assert mixed.dtype == tf.uint8 and mixed.shape == (400, height, width, 1)
    assert set(np.unique(mixed)) <= {3, 200}
    inside = mixed[..., 0].numpy() == 200
    np.testing.assert_allclose(weights[:, 0], inside.mean(axis=(1, 2)), atol=1e-6)
    rows, columns = inside.any(axis=2), inside.any(axis=1)
    np.testing.assert_array_equal(inside, rows[:, :, None] & columns[:, None])
    for along in (rows, columns):
        for row in along:  # one run
            assert np.count_nonzero(np.diff(np.pad(row.astype(int), 1))) in (0, 2)


def reference_sides(size, count, random):
    """(first, behind the last) row of boxes, by the published recipe, box by box."""
    for _ in range(count):
        half = int(np.sqrt(1 - random.uniform()) * size) // 2
        centre = random.integers(size)
        yield max(centre - half, 0), min(centre + half, size)


@pytest.mark.parametrize("size", [24, 9])
def test_boxes_have_the_distribution_of_the_recipe(size):
    images = np.concatenate([np.full((3000, size, 40, 1), v, "uint8") for v in (1, 0)])
    mixed, _ = kp.data.cut_mix(images, np.zeros((6000, 2), "float32"), (3, 5))
    rows = mixed[..., 0].numpy().any(axis=2)
    recipe = reference_sides(size, 3000, np.random.default_rng(8))
    wanted = np.array([np.isin(np.arange(size), np.arange(*side)) for side in recipe])
    np.testing.assert_allclose(rows.mean(axis=0), wanted.mean(axis=0), atol=0.04)
    assert stats.ks_2samp(rows.sum(axis=1), wanted.sum(axis=1)).pvalue > 1e-3


def test_both_sides_of_a_box_have_the_same_share():
    images = np.concatenate([np.full((500, 60, 20, 1), v, "uint8") for v in (1, 0)])
    mixed, _ = kp.data.cut_mix(images, np.zeros((1000, 2), "float32"), (3, 5))
    inside = mixed[..., 0].numpy()
    inner = (inside[:, [0, -1]].max(axis=(1, 2)) == 0) & (inside[:, :, [0, -1]].max((1, 2)) == 0)
    height, width = (inside[inner].any(axis=axis).sum(axis=1) for axis in (2, 1))
    assert inner.sum() > 50 and np.abs(height / 60 - width / 20).max() <= 2 / 20


@pytest.mark.parametrize("mix", [kp.data.mix_up, kp.data.cut_mix])
def test_eager_pipeline_and_unknown_shapes_agree(mix):
    images = np.random.default_rng(2).normal(size=(6, 5, 7, 3)).astype("float32")
    labels = np.eye(4, dtype="float32")[[0, 1, 2, 3, 3, 0]]
    wanted = mix(images, labels, (3, 5))
    specs = tf.TensorSpec((None,) * 4, tf.float32), tf.TensorSpec((None, None), tf.float32)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter([(images, labels)]), output_signature=specs
    )
    (found,) = dataset.map(lambda images, labels: mix(images, labels, (3, 5)))
    for a, b in zip(found, wanted):
        np.testing.assert_allclose(a, b, atol=1e-6)
    again, other = mix(images, labels, (3, 5)), mix(images, labels, (3, 6))
    np.testing.assert_array_equal(again[0], wanted[0])
    assert (other[0] != wanted[0].numpy()).numpy().any()


@pytest.mark.parametrize("mix", [kp.data.mix_up, kp.data.cut_mix])
def test_bad_batches(mix):
    images = np.zeros((4, 3, 3, 1), "float32")
    eye = np.eye(4, dtype="float32")
    for labels, message in [
        ([0, 1, 2, 4], "whole numbers from 0 to 3"),
        ([0, 1, -1, 3], "whole numbers from 0 to 3"),
        ([0, 1, 2], "as many as `(images|inputs)`"),
        (eye[:2], "as many as `(images|inputs)`"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            mix(images, labels, (3, 5), num_classes=4)
    for labels, message in [
        ([[0, 1], [2, 3]], r"`labels` must have shape \(batch,\)"),
        (np.zeros(4, "float32"), r"`labels` must be whole numbers \(batch,\) or floats"),
        (["a"] * 4, "`labels` must be whole numbers"),
        (eye[:, :3], "`labels` must have 4 columns"),
    ]:
        with pytest.raises(ValueError, match=message):
            mix(images, labels, (3, 5), num_classes=4)
    with pytest.raises(ValueError, match="`num_classes` must be given"):
        mix(images, [0, 1, 2, 3], (3, 5))
    with pytest.raises(ValueError, match="`(inputs|images)` must be an even number.*3"):
        mix(images[:3], eye[:3], (3, 5))
    batches = tf.data.Dataset.from_tensor_slices((images[:3], eye[:3])).batch(4)
    with pytest.raises(tf.errors.InvalidArgumentError, match="an even number"):
        list(batches.map(lambda *batch: mix(*batch, (3, 5))))
    with pytest.raises(ValueError, match="`seed`"):
        mix(images, eye, 3)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`alpha` must be .*above 0"):
        kp.data.mix_up(np.zeros((2, 1)), np.zeros((2, 1)), (3, 5), alpha=0)
    with pytest.raises(ValueError, match="`inputs` must be floats.*uint8"):
        kp.data.mix_up(np.zeros((2, 1), "uint8"), np.zeros((2, 1)), (3, 5))
    with pytest.raises(ValueError, match="`images` must have shape"):
        kp.data.cut_mix(np.zeros((2, 3, 3)), np.zeros((2, 1)), (3, 5))
