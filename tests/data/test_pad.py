import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, randomize, to_numpy


def test_points_of_different_numbers():
    clouds = [normal(5, 3), normal(2, 3, seed=1), normal(0, 3)]
    points, mask = kp.data.pad(clouds)
    assert points.shape == (3, 5, 3) and points.dtype == "float32"
    np.testing.assert_array_equal(mask.sum(1), [5, 2, 0])
    np.testing.assert_array_equal(points[1, :2], clouds[1])
    assert not points[1, 2:].any() and not points[2].any()


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float64", "bool"])
def test_dtypes_and_lengths(dtype):
    array, mask = kp.data.pad([np.ones(3, dtype), np.ones(1, dtype)], length=7)
    assert array.dtype == dtype and array.shape == mask.shape == (2, 7)
    np.testing.assert_array_equal(array.astype(bool), mask)


def test_padding_changes_no_answer():
    sizes = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}
    model = randomize(kp.build_classifier(kp.Points(num_bands=3, masked=True), 2, **sizes))
    clouds = [np.tanh(normal(5, 3)), np.tanh(normal(2, 3, seed=1))]
    points, mask = kp.data.pad(clouds, length=9)
    together = to_numpy(model({"points": points, "points_mask": mask}))
    for cloud, found in zip(clouds, together):
        alone, mask = kp.data.pad([cloud])
        expected = to_numpy(model({"points": alone, "points_mask": mask}))[0]
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "examples, length, message",
    [
        ([], None, "`examples` must be a list of one or more arrays"),
        (7, None, "`examples` must be a list"),
        ([np.ones(())], None, r"`examples\[0\]` must be an array of numbers"),
        ([np.ones(3), np.array(["a"])], None, r"`examples\[1\]` must be an array of numbers"),
        ([np.ones((3, 2)), np.ones((3, 4))], None, r"`examples\[1\]` must have shape .*length, 2"),
        ([np.ones(3)], 2, "`length` must be at least that of the longest example, 3"),
        ([np.ones(3)], 0, "`length` must be a whole number"),
        ([np.ones(3)], "4", "`length` must be a whole number"),
    ],
)
def test_what_cannot_be_padded(examples, length, message):
    with pytest.raises(ValueError, match=message):
        kp.data.pad(examples, length)
