import keras
import numpy as np

from keras_perceiver.layers import LearnedArray
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
