import keras
import numpy as np
import pytest

from keras_perceiver.layers import LearnedArray
from keras_perceiver.layers.learned_array import ROWS
from keras_perceiver.layers.places import Places, sinusoids
from tests.random_values import normal, to_numpy


def test_the_table_is_repeated_for_each_example():
    layer = LearnedArray(5, 3)
    found = to_numpy(layer(normal(2, 7, 11)))
    assert found.shape == (2, 5, 3)
    for example in found:
        np.testing.assert_array_equal(example, to_numpy(layer.table))


def test_batches_of_unknown_size():
    inputs = keras.Input((None, 11))
    outputs = LearnedArray(5, 3)(inputs)
    assert outputs.shape == (None, 5, 3)
    assert keras.Model(inputs, outputs)(normal(2, 7, 11)).shape == (2, 5, 3)


def test_masks_of_the_inputs_are_not_masks_of_the_table():
    masked = keras.layers.Masking()(keras.Input((7, 11)))
    assert getattr(LearnedArray(5, 3)(masked), "_keras_mask", None) is None


def test_another_initializer():
    layer = LearnedArray(5, 3, initializer=keras.initializers.Constant(2.0))
    np.testing.assert_array_equal(to_numpy(layer(normal(1, 1))), 2.0)
    copy = LearnedArray.from_config(layer.get_config())
    np.testing.assert_array_equal(to_numpy(copy(normal(1, 1))), 2.0)


def test_some_vectors():
    layer = LearnedArray(5, 3)
    indices = np.array([[4, 0], [2, 2]])
    found = to_numpy(layer(normal(2, 7, 11), indices=indices))
    np.testing.assert_array_equal(found, to_numpy(layer.table)[indices])


def test_as_many_vectors_as_the_input_is_long():
    layer = LearnedArray(5, 3, truncate=True)
    found = to_numpy(layer(normal(2, 3, 11)))
    np.testing.assert_array_equal(found, np.stack([to_numpy(layer.table)[:3]] * 2))
    with pytest.raises(ValueError, match=r"`inputs` must be at most 5 long.*shape \(2, 7, 11\)"):
        layer(normal(2, 7, 11))


def test_many_places_are_told_apart_in_pieces():
    grid = (
        2 * ROWS // 3 + 1,
        3,
    )  # in three pieces, the last of a few; their ends cut rows of the grid
    layer = LearnedArray(grid[0] * grid[1], 5)
    layer.build((None, 1))
    layer.tell_places_apart(grid, scale=0.5)
    cells = Places.of_cells(None, np.arange(layer.length), grid)
    expected = 0.5 * sinusoids(cells.coordinates, 5, grid)
    np.testing.assert_allclose(to_numpy(layer.table), expected, atol=1e-6)
