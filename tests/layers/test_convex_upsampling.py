"""Convex upsampling against plain loops over pixels."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp
from tests.gradients import layer_gradients
from tests.random_values import normal, randomize, to_numpy


def convolved(x, layer, relu=False):
    """A convolution with zeros beyond the edge, pixel by pixel."""
    kernel, bias = to_numpy([layer.kernel, layer.bias])
    kernel, bias = kernel.astype("float64"), bias.astype("float64")
    margin = len(kernel) // 2
    height, width, _ = x.shape
    out = np.zeros((height, width, kernel.shape[-1])) + bias
    for row, column in np.ndindex(height, width):
        for i, j in np.ndindex(kernel.shape[:2]):
            y, z = row + i - margin, column + j - margin
            if 0 <= y < height and 0 <= z < width:
                out[row, column] += x[y, z] @ kernel[i, j]
    return np.maximum(out, 0) if relu else out


def upsampled(layer, x):
    """What the layer should compute for one example, in float64."""
    x, stride = x.astype("float64"), layer.stride
    hidden = convolved(x, layer.value_hidden_layer, relu=True)
    values = layer.scale * convolved(hidden, layer.value_layer)
    hidden = convolved(x, layer.weight_hidden_layer, relu=True)
    logits = 0.25 * convolved(hidden, layer.weight_layer)
    height, width, channels = values.shape
    fine = np.zeros((height * stride, width * stride, channels))
    for row, column, i, j in np.ndindex(height, width, stride, stride):
        nine = logits[row, column].reshape(9, stride, stride)[:, i, j]
        shares = np.exp(nine - nine.max())
        shares /= shares.sum()
        for share, (y, z) in zip(shares, itertools.product((-1, 0, 1), repeat=2)):
            if 0 <= row + y < height and 0 <= column + z < width:
                cell = values[row + y, column + z]
                fine[row * stride + i, column * stride + j] += share * cell
    return fine


def made(channels, stride, *shape, **options):
    layer = kp.ConvexUpsampling(channels, stride, hidden_channels=5, **options)
    layer.build((None, *shape))
    return randomize(layer)


@pytest.mark.parametrize("mean", [0.0, 3000.0])
@pytest.mark.parametrize(
    "height, width, stride, channels",
    [(1, 1, 4, 2), (1, 5, 2, 1), (5, 3, 4, 2), (2, 7, 3, 3), (3, 2, 1, 2)],
)
def test_against_loops_over_pixels(height, width, stride, channels, mean):
    layer = made(channels, stride, height, width, 3, scale=1.5)
    layer.value_layer.bias.assign(ops.convert_to_tensor(mean) + layer.value_layer.bias)
    x = normal(2, height, width, 3)
    found = to_numpy(layer(x))
    assert found.shape == (2, height * stride, width * stride, channels)
    for have, example in zip(found, x):
        np.testing.assert_allclose(have, upsampled(layer, example), rtol=2e-6, atol=2e-5)


def test_features_far_from_zero():
    layer = made(2, 4, 5, 3, 3)
    x = normal(1, 5, 3, 3, mean=3000.0)
    wanted = upsampled(layer, x[0])
    np.testing.assert_allclose(to_numpy(layer(x))[0], wanted, atol=1e-4 * np.abs(wanted).max())


def test_what_is_constant_stays_so_inside():
    layer = made(2, 4, 5, 7, 3)
    layer.value_layer.kernel.assign(np.zeros(layer.value_layer.kernel.shape))
    layer.value_layer.bias.assign([3000.0, -7.0])
    found = to_numpy(layer(normal(2, 5, 7, 3)))
    inside = found[:, 4:-4, 4:-4]
    np.testing.assert_allclose(inside, np.broadcast_to([3000, -7], inside.shape), rtol=1e-6)
    # Beyond the edge are zeros, as in RAFT.
    assert (np.abs(found[:, 0, :, 1]) < 7 - 1e-3).all()
    layer.weight_layer.kernel.assign(np.zeros(layer.weight_layer.kernel.shape))
    layer.weight_layer.bias.assign(np.zeros(9 * 16))
    found = to_numpy(layer(normal(2, 5, 7, 3)))
    np.testing.assert_allclose(found[:, :4, :4, 1], -7 * 4 / 9, rtol=1e-5)
    np.testing.assert_allclose(found[:, :4, 4:-4, 1], -7 * 6 / 9, rtol=1e-5)


def test_weights_can_choose_one_neighbour():
    """Weights' channels are neighbour, row, column; here they are as far apart as can be."""
    layer = made(1, 2, 3, 5, 3)
    values = layer.value_layer(layer.value_hidden_layer(normal(1, 3, 5, 3)))
    values = np.pad(to_numpy(values)[0, ..., 0], 1)
    layer.weight_layer.kernel.assign(np.zeros(layer.weight_layer.kernel.shape))
    bias = np.full((9, 2, 2), -30000.0)
    chosen = {(0, 0): 0, (0, 1): 5, (1, 0): 4, (1, 1): 7}
    for place, k in chosen.items():
        bias[(k, *place)] = 30000.0
    layer.weight_layer.bias.assign(bias.ravel())
    found = to_numpy(layer(normal(1, 3, 5, 3)))[0, ..., 0]
    for (i, j), k in chosen.items():
        row, column = divmod(k, 3)
        wanted = values[row : row + 3, column : column + 5]
        np.testing.assert_allclose(found[i::2, j::2], wanted, rtol=1e-6)


@pytest.mark.parametrize("mean", [0.0, 3000.0])
def test_gradients_are_finite_and_reach_every_weight(mean):
    layer = made(2, 3, 2, 5, 3)
    x = normal(2, 2, 5, 3, mean=mean)
    layer.value_layer.bias.assign(np.full(2, mean))
    for name, gradient in layer_gradients(layer, [x], layer.trainable_weights).items():
        assert np.isfinite(gradient).all(), name
        assert np.abs(gradient).max() > 1e-5, name


@pytest.mark.parametrize(
    "dtype, wanted",
    [
        ("mixed_float16", "float32"),
        pytest.param("float64", "float64", marks=pytest.mark.tensorflow),  # JAX has none
    ],
)
def test_results_are_wide(dtype, wanted):
    """Half precision alone would round 3000.4 to 3000."""
    layer = made(1, 4, 5, 3, 3, dtype=dtype, scale=3000.4)
    layer.value_layer.kernel.assign(np.zeros(layer.value_layer.kernel.shape))
    layer.value_layer.bias.assign([1.0])
    x = normal(1, 5, 3, 3)
    symbolic = layer(keras.KerasTensor((1, 5, 3, 3), x.dtype))
    found = layer(x)
    for array in (symbolic, found):
        assert keras.backend.standardize_dtype(array.dtype) == wanted
        assert tuple(array.shape) == (1, 20, 12, 1)
    np.testing.assert_allclose(to_numpy(found)[:, 4:-4, 4:-4], 3000.4, rtol=1e-6)
    assert layer(keras.KerasTensor((None, None, 3, 3))).shape == (None, None, 12, 1)


def test_cost():
    layer = made(2, 4, 5, 7, 3)
    cost = layer.cost((5, 7, 3))
    assert cost.parameters == layer.count_params()
    products = 2 * 9 * 3 * 5 + 9 * 5 * 2 + 5 * 9 * 16 + 9 * 16 * 2  # of each coarse cell
    assert cost.flops == 2 * 35 * products


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"channels": 0}, "`channels` must be a whole number"),
        ({"stride": 2.0}, "`stride` must be a whole number"),
        ({"hidden_channels": None}, "`hidden_channels` must be a whole number"),
        ({"scale": 0}, "`scale` must be a finite number and above 0"),
        ({"kernel_initializer": "zeroes"}, "`kernel_initializer` must be a Keras initialiser"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kp.ConvexUpsampling(**{"channels": 2, "stride": 4, **arguments})


def test_rows_are_no_grid():
    with pytest.raises(ValueError, match=r"`inputs` must have shape \(batch, height, width, dim\)"):
        kp.ConvexUpsampling(2, 4)(normal(2, 35, 3))
