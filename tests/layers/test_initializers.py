"""Spreads of initial values, as measured in DeepMind's code."""

import keras
import numpy as np
import pytest

from keras_perceiver.layers import (
    Attention,
    CommonWidth,
    FeedForward,
    LearnedArray,
    OutputQueryDecoder,
)
from keras_perceiver.layers.initializers import array_init, fresh, plain_linear_init
from tests.random_values import to_numpy


def assert_cut_at(limit, values):
    """All but some per million lie within the limit (torch's truncated normal leaves these)."""
    assert np.abs(values).max() > 0.99 * limit
    assert (np.abs(values) > 1.0001 * limit).mean() < 1e-4


def test_attention_and_feed_forward_kernels_have_a_stddev_of_one_over_root_fan_in():
    attention, feed_forward = Attention(qk_channels=256), FeedForward()
    attention.build((None, None, 512), (None, None, 512))
    feed_forward.build((None, 512))
    kernels = {w.path: to_numpy(w) for w in attention.weights + feed_forward.weights}
    kernels = {path: kernel for path, kernel in kernels.items() if path.endswith("kernel")}
    assert len(kernels) == 6
    for kernel in kernels.values():
        assert kernel.std() == pytest.approx(len(kernel) ** -0.5, rel=1e-2)
        assert_cut_at(2 * len(kernel) ** -0.5 / 0.87962566, kernel)


def test_plain_linear_kernels_are_cut_and_not_corrected():
    decoder = OutputQueryDecoder(output_dim=511)
    decoder.build((None, None, 256), (None, None, 16))
    for kernel in (decoder.output_layer.kernel, plain_linear_init(seed=1)((256, 511))):
        kernel = to_numpy(kernel)
        assert kernel.std() == pytest.approx(0.8796 / 16, rel=1e-2)
        assert_cut_at(2 / 16, kernel)


def test_tables_have_a_stddev_of_0_0176_and_are_cut_at_0_04():
    array = LearnedArray(512, 256)
    array.build((None, 1))
    padded = CommonWidth(mask_probs={"narrow": 1.0})
    padded.build({"narrow": (None, 2, 1), "wide": (None, 3, 2**16)})
    tables = [array.table, padded.paddings["narrow"], padded.mask_tokens["wide"]]
    for table in (*tables, array_init()((512, 256))):
        table = to_numpy(table)
        assert table.std() == pytest.approx(0.0176, rel=1e-2)
        assert_cut_at(0.04, table)


def test_a_fresh_initializer_draws_other_values():
    initializer = keras.initializers.get("lecun_normal")
    first, second = to_numpy([fresh(initializer)((3, 5)), fresh(initializer)((3, 5))])
    assert np.abs(first - second).max() > 1e-3


def test_a_fresh_function_is_the_function():
    def twos(shape, dtype=None):
        return 2 * keras.ops.ones(shape, dtype)

    assert fresh(twos) is twos
