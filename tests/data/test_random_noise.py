import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp


def test_noise_has_its_standard_deviation_and_depends_on_the_seed():
    zeros = np.zeros((11, 13, 17, 3), "float32")
    noise = kp.data.random_noise(zeros, (1, 2), stddev=0.2).numpy()
    assert abs(noise.std() - 0.2) < 0.01 and abs(noise.mean()) < 0.01
    np.testing.assert_array_equal(noise, kp.data.random_noise(zeros, (1, 2), stddev=0.2))
    assert (noise != kp.data.random_noise(zeros, (1, 3), stddev=0.2).numpy()).any()


def test_noise_is_the_same_in_a_pipeline():
    batches = tf.data.Dataset.from_tensors(np.ones((3, 5), "float32"))
    (batch,) = batches.map(lambda x: kp.data.random_noise(x, (1, 2)))
    np.testing.assert_array_equal(batch, kp.data.random_noise(np.ones((3, 5), "float32"), (1, 2)))


def test_bad_arguments():
    with pytest.raises(ValueError, match="`stddev` must be a finite number at least 0|at least 0"):
        kp.data.random_noise(np.zeros(3, "float32"), (1, 2), stddev=-1)
    with pytest.raises(ValueError, match="`inputs` must be floating"):
        kp.data.random_noise(np.zeros(3, "int32"), (1, 2))
