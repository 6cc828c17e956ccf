import keras
import numpy as np
import pytest

from keras_perceiver.layers import FourierEncoding
from tests.layers import reference
from tests.random_values import normal, to_numpy

GRIDS = {"one axis": (7,), "two axes": (5, 3), "three axes": (2, 3, 5)}


def encode(grid, **arguments):
    """The features of a grid, without the batch."""
    layer = FourierEncoding(**arguments)
    encoded = to_numpy(layer(np.zeros((2, *grid, 1), "float32")))
    np.testing.assert_array_equal(encoded[0], encoded[1])
    assert layer.compute_output_shape((2, *grid, 1)) == encoded.shape
    return encoded[0]


def test_channels_by_hand():
    # Frequencies 1 and 2 (half of 4); positions -1, -1/3, 1/3, 1.
    h = np.sqrt(3) / 2
    expected = [
        # position, sin(pi p), sin(2 pi p), cos(pi p), cos(2 pi p)
        [-1, 0, 0, -1, 1],
        [-1 / 3, -h, -h, 0.5, -0.5],
        [1 / 3, h, h, 0.5, -0.5],
        [1, 0, 0, -1, 1],
    ]
    np.testing.assert_allclose(encode((4,), num_bands=2), expected, atol=1e-6)


def test_channels_of_two_axes_by_hand():
    # Both axes have the frequency 1 alone. Rows are at -1, 0 and 1, columns at -1 and 1.
    expected = [
        # row, column, sin(row), sin(column), cos(row), cos(column)
        [-1, -1, 0, 0, -1, -1],
        [-1, 1, 0, 0, -1, -1],
        [0, -1, 0, 0, 1, -1],
        [0, 1, 0, 0, 1, -1],
        [1, -1, 0, 0, -1, -1],
        [1, 1, 0, 0, -1, -1],
    ]
    found = encode((3, 2), num_bands=1, max_resolution=(6, 4))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("concat_pos", [True, False])
@pytest.mark.parametrize("sine_only", [True, False])
def test_equals_the_reference(grid, concat_pos, sine_only):
    resolution = (11, 13, 17)[: len(grid)]
    expected = reference.fourier(
        reference.grid_positions(grid), 3, resolution, concat_pos, sine_only
    )
    layer_arguments = {"concat_pos": concat_pos, "sine_only": sine_only}
    found = encode(grid, num_bands=3, max_resolution=resolution, **layer_arguments)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert expected.shape[-1] == FourierEncoding(3, **layer_arguments).num_features(len(grid))


@pytest.mark.parametrize(
    "num_axes, num_bands, width", [(2, 64, 258), (1, 192, 385), (3, 32, 195), (3, 64, 387)]
)
def test_published_widths(num_axes, num_bands, width):
    assert FourierEncoding(num_bands).num_features(num_axes) == width


def test_sizes_of_the_grid_are_the_default_resolution():
    np.testing.assert_array_equal(
        encode((5, 3), num_bands=4), encode((5, 3), num_bands=4, max_resolution=(5, 3))
    )
    np.testing.assert_array_equal(
        encode((5, 3), num_bands=4, max_resolution=7),
        encode((5, 3), num_bands=4, max_resolution=(7, 7)),
    )


def test_an_axis_of_one_cell_is_at_minus_one():
    found = encode((1, 3), num_bands=2, max_resolution=5)
    np.testing.assert_array_equal(found[:, 0], -1)
    np.testing.assert_array_equal(found[:, 1], [-1, 0, 1])


def test_another_size_is_read_with_the_first_size_s_frequencies():
    layer = FourierEncoding(num_bands=3)
    layer(np.zeros((1, 5, 7, 1), "float32"))
    found = to_numpy(layer(np.zeros((1, 11, 3, 1), "float32")))[0]
    expected = reference.fourier(reference.grid_positions((11, 3)), 3, (5, 7))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_sizes_known_only_at_call_time():
    inputs = keras.Input((None, None, 2))
    layer = FourierEncoding(num_bands=6, max_resolution=(29, 31))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, None, 26)
    for grid in ((29, 31), (1, 13)):
        found = to_numpy(model(np.zeros((1, *grid, 2), "float32")))[0]
        expected = encode(grid, num_bands=6, max_resolution=(29, 31))
        np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.tensorflow
def test_sizes_unknown_to_a_traced_function():
    import tensorflow as tf

    layer = FourierEncoding(num_bands=6, max_resolution=(29, 31))
    traced = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 2))])
    for grid in ((29, 31), (1, 13)):
        found = to_numpy(traced(np.zeros((1, *grid, 2), "float32")))[0]
        expected = encode(grid, num_bands=6, max_resolution=(29, 31))
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_without_the_endpoint_the_last_cell_lies_before_one():
    found = encode((4,), num_bands=3, endpoint=False)
    positions = np.array([[-1], [-0.5], [0], [0.5]])
    np.testing.assert_allclose(found, reference.fourier(positions, 3, (4,)), atol=1e-6)


@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("concat_pos, sine_only", [(True, False), (False, True)])
def test_some_cells_of_a_grid(endpoint, concat_pos, sine_only):
    layer = FourierEncoding(
        3, (5, 7), endpoint=endpoint, concat_pos=concat_pos, sine_only=sine_only
    )
    whole = to_numpy(layer(np.zeros((1, 5, 7, 1), "float32")))[0]
    indices = np.array([[0, 34, 13], [7, 7, 20]])
    found = to_numpy(layer.encode_indices(indices, (5, 7)))
    np.testing.assert_allclose(found, whole[indices], atol=1e-6)


def test_coordinates_of_a_grid_are_the_grid():
    coordinates = reference.grid_positions((5, 3))[None].astype("float32")
    layer = FourierEncoding(num_bands=4, max_resolution=(5, 3), source="coordinates")
    found = to_numpy(layer(coordinates))[0]
    np.testing.assert_allclose(found, encode((5, 3), num_bands=4), atol=2e-6)


def test_each_example_has_its_own_coordinates():
    coordinates = np.clip(normal(2, 5, 3), -1, 1)
    layer = FourierEncoding(num_bands=2, max_resolution=11, source="coordinates")
    found = to_numpy(layer(coordinates))
    assert found.shape == layer.compute_output_shape((2, 5, 3)) == (2, 5, 15)
    np.testing.assert_allclose(
        found, reference.fourier(np.float64(coordinates), 2, (11, 11, 11)), atol=2e-6
    )
    assert np.abs(found[0] - found[1]).max() > 0.1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_coordinates_must_be_finite(bad):
    coordinates = np.zeros((2, 5, 3), "float32")
    coordinates[1, 3, 2] = bad
    layer = FourierEncoding(num_bands=2, max_resolution=11, source="coordinates")
    with pytest.raises(
        ValueError, match=rf"`coordinates` must be finite.*{bad} at index \(1, 3, 2\)"
    ):
        layer(coordinates)


def test_mixed_precision_computes_angles_in_float32():
    coordinates = np.clip(normal(1, 7, 1), -1, 1)
    layer = FourierEncoding(64, 224, source="coordinates", dtype="mixed_bfloat16")
    found = layer(coordinates)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    expected = reference.fourier(np.float64(coordinates), 64, (224,))
    # Rounding of the features alone; a position rounded to bfloat16 is off by up to 1.
    np.testing.assert_allclose(to_numpy(keras.ops.cast(found, "float32")), expected, atol=4e-3)
