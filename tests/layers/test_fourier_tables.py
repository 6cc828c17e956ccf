"""Fourier features of open sizes and long axes: exact, and small in the graph."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_perceiver.layers import FourierEncoding
from tests.random_values import normal, to_numpy


def exact(size, resolution, bands, endpoint=True):
    """In float64, as the papers write it."""
    positions = np.array([[-1.0]])
    if size > 1 or not endpoint:
        positions = np.linspace(-1.0, 1.0, size, endpoint=endpoint)[:, None]
    angles = np.pi * positions * np.linspace(1.0, resolution / 2, bands)
    return np.concatenate([positions, np.sin(angles), np.cos(angles)], axis=-1)


CASES = [(1, 5, 3, True), (1, 5, 3, False), (7, 7, 1, True), (1024, 9, 4, True), (2, 2, 2, True)]
CASES += [(1025, 9, 4, False), (1920, 30720, 64, True), (30720, 30720, 64, True)]
CASES += [(4099, 4099, 8, False), (100_003, 100_003, 5, True)]


@pytest.mark.parametrize("size, resolution, bands, endpoint", CASES)
def test_known_sizes(size, resolution, bands, endpoint):
    encoding = FourierEncoding(bands, resolution, endpoint=endpoint)
    found = to_numpy(encoding(np.zeros((1, size, 1), "float32")))[0]
    np.testing.assert_allclose(found, exact(size, resolution, bands, endpoint), atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize("size, resolution, bands, endpoint", CASES)
def test_open_sizes_equal_known_ones(size, resolution, bands, endpoint):
    import tensorflow as tf

    encoding = FourierEncoding(bands, resolution, endpoint=endpoint)
    grid = np.zeros((1, size, 1), "float32")
    known = to_numpy(encoding(grid))
    opened = tf.function(lambda x: encoding(x), input_signature=[tf.TensorSpec((None, None, 1))])
    np.testing.assert_allclose(opened(grid), known, atol=1e-6)


@pytest.mark.tensorflow
def test_open_sizes_of_two_axes():
    import tensorflow as tf

    encoding = FourierEncoding(6, (30_720, 11))
    grid = np.zeros((2, 13, 7, 1), "float32")
    opened = tf.function(
        lambda x: encoding(x), input_signature=[tf.TensorSpec((None, None, None, 1))]
    )
    np.testing.assert_allclose(opened(grid), to_numpy(encoding(grid)), atol=1e-6)


@pytest.mark.tensorflow
def test_a_long_axis_is_no_constant_of_the_graph():
    import tensorflow as tf

    encoding = FourierEncoding(64, 10**6)
    encoding.build((None, 10**6, 1))
    graph = tf.function(lambda: encoding.encode_grid((10**6,))).get_concrete_function().graph
    assert graph.as_graph_def().ByteSize() < 2**22  # the table itself is 516 MB


def test_float64_is_float64():
    if keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 unless it is told to")
    for size in (31, 5003):
        encoding = FourierEncoding(9, 30_720, dtype="float64")
        found = to_numpy(encoding(np.zeros((1, size, 1))))[0]
        assert found.dtype == "float64"
        np.testing.assert_allclose(found, exact(size, 30_720, 9), atol=1e-11)


@pytest.mark.parametrize("concat_pos", [True, False])
@pytest.mark.parametrize("sine_only", [True, False])
@pytest.mark.parametrize("grid", [(5,), (3, 7), (2, 3, 5)])
def test_split_is_the_inverse_of_join(grid, concat_pos, sine_only):
    encoding = FourierEncoding(3, 11, concat_pos=concat_pos, sine_only=sine_only)
    encoding.build((None, *grid, 1))
    features = normal(2, 4, encoding.num_features(len(grid)))
    of_axes = encoding.split(features, len(grid))
    assert len(of_axes) == len(grid)
    np.testing.assert_array_equal(to_numpy(encoding.join(of_axes)), features)


def test_some_cells_are_those_of_the_whole():
    encoding = FourierEncoding(3, (5, 7))
    whole = to_numpy(encoding(np.zeros((1, 5, 7, 1), "float32")))[0]
    indices = np.array([[0, 34, 8], [6, 7, 33]])
    np.testing.assert_allclose(to_numpy(encoding.encode_indices(indices, (5, 7))), whole[indices])
    for bad in (-1, 35):
        with pytest.raises(ValueError, match="`indices` must be whole numbers from 0 to 34"):
            encoding.encode_indices(np.array([[bad]]), (5, 7))


@pytest.mark.tensorflow
@pytest.mark.parametrize("bad", [-1, 35, 2**31 - 1])
def test_in_a_graph_no_index_becomes_another(bad):
    import tensorflow as tf

    encoding = FourierEncoding(3, (5, 7))
    encoding.build((None, 5, 7, 1))
    indices = tf.constant([[3, bad]])
    found = tf.function(lambda i: encoding.encode_indices(i, (5, 7)))(indices).numpy()
    assert np.isnan(found[0, 1]).all() and np.isfinite(found[0, 0]).all()


def test_positions_of_a_grid_do_not_depend_on_the_layer_being_traced():
    encoding = FourierEncoding(3, (5, 7))
    spec = encoding(keras.KerasTensor((None, 5, 7, 2)))
    assert spec.shape == (None, 35, 14)
    assert ops.shape(encoding(np.zeros((3, 5, 7, 2), "float32"))) == (3, 35, 14)
