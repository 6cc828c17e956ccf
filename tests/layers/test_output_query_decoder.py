import numpy as np
import pytest

from keras_perceiver.layers import OutputQueryDecoder
from tests.layers import reference
from tests.random_values import normal, randomize, to_numpy

QUERY, LATENTS = normal(2, 3, 7), normal(2, 5, 11, seed=1)


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("output_dim", [13, None])
def test_equals_the_reference(output_dim, residual):
    layer = OutputQueryDecoder(output_dim, use_query_residual=residual)
    layer.build(QUERY.shape, LATENTS.shape)
    randomize(layer)
    weights = reference.weights_of(layer)
    expected, scores = reference.cross_attention(
        QUERY, LATENTS, weights, 1, "cross_attention/", residual
    )
    if output_dim is not None:
        expected = reference.dense(expected, weights, "output")
    found = layer(QUERY, LATENTS, return_attention_scores=True)
    for have, want in zip(to_numpy(found), (expected, scores)):
        assert have.shape == want.shape
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-5)


def test_queries_are_not_added_to_what_they_read_by_default():
    assert OutputQueryDecoder().get_config()["use_query_residual"] is False


@pytest.mark.parametrize(
    "widths, qk, v", [({}, 11, 11), ({"qk_channels": 14}, 14, 14), ({"v_channels": 17}, 11, 17)]
)
def test_widths_default_to_those_of_the_latents(widths, qk, v):
    layer = OutputQueryDecoder(13, **widths)
    assert layer(QUERY, LATENTS).shape == (2, 3, 13)
    weights = reference.weights_of(layer)
    assert weights["cross_attention/attention/query/kernel"].shape == (7, qk)
    assert weights["cross_attention/attention/output/kernel"].shape == (v, 7)
    assert weights["output/kernel"].shape == (7, 13)


def test_each_query_is_answered_alone():
    layer = OutputQueryDecoder(13, use_query_residual=True)
    together = to_numpy(layer(QUERY, LATENTS))
    apart = [to_numpy(layer(QUERY[:, i : i + 1], LATENTS)) for i in range(3)]
    np.testing.assert_allclose(together, np.concatenate(apart, 1), rtol=1e-5, atol=1e-6)


def test_an_output_that_starts_at_zero():
    layer = OutputQueryDecoder(13, output_initializer="zeros")
    np.testing.assert_array_equal(to_numpy(layer(QUERY, LATENTS)), 0)


def test_a_masked_query_reads_nothing():
    asked = np.array([[True, False, True], [False, True, True]])
    layer = OutputQueryDecoder(13)
    layer.build(QUERY.shape, LATENTS.shape)
    randomize(layer)
    masked = to_numpy(layer(QUERY, LATENTS, query_mask=asked))
    other = to_numpy(layer(QUERY, normal(2, 5, 11, seed=2), query_mask=asked))
    np.testing.assert_allclose(masked[asked], to_numpy(layer(QUERY, LATENTS))[asked], atol=1e-5)
    np.testing.assert_allclose(masked[~asked], other[~asked], atol=1e-5)
    assert np.abs(masked[asked] - other[asked]).max() > 1e-2
