import keras
import numpy as np

from keras_perceiver.layers import CommonWidth, SplitLengths
from tests.random_values import normal, to_numpy

PARTS = {"image": normal(2, 5, 7), "audio": normal(2, 3, 11, seed=1)}


def test_undoes_the_joining():
    joined = CommonWidth()(PARTS)
    found = to_numpy(SplitLengths()(joined, PARTS))
    assert sorted(found) == ["audio", "image"]
    np.testing.assert_array_equal(found["audio"], to_numpy(joined)[:, :3])
    np.testing.assert_array_equal(found["image"], to_numpy(joined)[:, 3:])


def test_lengths_known_only_at_call_time():
    joined = keras.Input((None, 13))
    parts = {"audio": keras.Input((None, 11)), "image": keras.Input((None, 7))}
    model = keras.Model([joined, parts], SplitLengths()(joined, parts))
    found = to_numpy(model([normal(2, 8, 13), PARTS]))
    assert found["audio"].shape == (2, 3, 13)
    assert found["image"].shape == (2, 5, 13)
