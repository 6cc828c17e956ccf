"""Series through a small convolution, in patches, step by step."""

import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def values(layer, *args, **kwargs):
    return ops.convert_to_numpy(layer(*args, **kwargs))


@pytest.mark.parametrize("length", [1, 4, 37, 150])
@pytest.mark.parametrize("symmetric", [False, True])
def test_a_series_is_an_image_of_one_row(length, symmetric):
    if symmetric and length < 5:
        pytest.skip("nothing is left without padding")
    options = {"stem_norm": "group", "positions": "none"}
    series = kp.Series(length, 2, symmetric_padding=symmetric, **options)
    x = normal(3, length, 2)
    read = values(series, x)
    assert read.shape == (3, series.num_inputs, 64) == (3, *series.stem_shape())
    # An image with 13 equal rows and a kernel that reads the middle row of the seven.
    image = kp.Image(13, length, 2, stem="conv", symmetric_padding=symmetric, **options)
    image.build((None, 13, length, 2))
    kernel = np.zeros((7, 7, 2, 64), "float32")
    kernel[3] = ops.convert_to_numpy(series.stem_layer.convs[0].kernel)
    image.stem_layer.convs[0].kernel.assign(kernel)
    rows = values(image, np.repeat(x[:, None], 13, axis=1))
    rows = rows.reshape(3, *image.stem_shape())
    np.testing.assert_allclose(rows[:, 1], read, atol=1e-4)


def test_longer_cells():
    layer = kp.Series(101, 3, patch_size=16)
    assert layer.stem_layer.num_convs == 2
    assert values(layer, normal(2, 101, 3)).shape == (2, 7, layer.input_dim)


def test_patches_and_steps():
    x = normal(2, 12, 3)
    read = values(kp.Series(12, 3, stem="patches", patch_size=4, positions="none"), x)
    np.testing.assert_array_equal(read, x.reshape(2, 3, 12))
    read = values(kp.Series(12, 3, stem="steps", patch_size=5, positions="none"), x)
    np.testing.assert_array_equal(read, x[:, ::5])


def test_batch_norm():
    layer = kp.Series(40, 2, stem_norm="batch", positions="none")
    x = 3 * normal(5, 40, 2) + 7
    one = values(layer, x, training=True)
    other = values(layer, x, training=True, repeated=True)
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert np.abs(ops.convert_to_numpy(layer.stem_layer.norms[0].moving_mean)).max() > 0.01


@pytest.mark.parametrize("stem", ["conv", "patches", "steps"])
def test_config_and_cost(stem):
    options = {"patch_size": 4, "stem_channels": None if stem == "steps" else 5}
    layer = kp.Series(20, 3, stem=stem, normalize=True, num_bands=2, **options)
    again = kp.Series.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    layer.build((None, 20, 3))
    assert layer.cost().parameters == layer.count_params()


def test_open_length():
    layer = kp.Series(None, 2, max_resolution=(16,), num_bands=3)
    assert values(layer, normal(1, 40, 2)).shape == (1, 10, layer.input_dim)
    assert values(layer, normal(1, 41, 2)).shape == (1, 11, layer.input_dim)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`stem` must be one of"):
        kp.Series(20, 3, stem="pixels")
    with pytest.raises(ValueError, match="`patch_size` must be a power of 4"):
        kp.Series(20, 3, patch_size=8)
    with pytest.raises(ValueError, match="divisible by `patch_size`"):
        kp.Series(21, 3, stem="patches", patch_size=4)
