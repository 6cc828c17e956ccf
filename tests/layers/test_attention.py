import keras
import numpy as np
import pytest

from keras_perceiver.layers import Attention
from tests.layers import reference
from tests.random_values import normal, randomize, to_numpy

QUERY, VALUE = normal(2, 3, 7), normal(2, 5, 11, seed=1)
TWO_HEADS = {"num_heads": 2, "qk_channels": 2 * 3, "v_channels": 2 * 5, "output_channels": 13}


def allowed_at_random():
    allowed = np.random.default_rng(2).random((2, 3, 5)) < 0.6
    allowed[0, 1] = False  # a query that may attend to nothing
    allowed[0, 0], allowed[1] = True, True
    return allowed


@pytest.mark.parametrize(
    "widths, qk, v, output",
    [
        ({}, 7, 7, 7),
        ({"qk_channels": 13}, 13, 13, 13),
        ({"v_channels": 17}, 7, 17, 17),
        ({"output_channels": 19}, 7, 7, 19),
        ({"qk_channels": 13, "v_channels": 17, "output_channels": 19}, 13, 17, 19),
    ],
)
def test_widths_and_their_defaults(widths, qk, v, output):
    layer = Attention(**widths)
    assert layer(QUERY, VALUE).shape == (2, 3, output)
    shapes = {path: weight.shape for path, weight in reference.weights_of(layer).items()}
    assert shapes == {
        "query/kernel": (7, qk),
        "query/bias": (qk,),
        "key/kernel": (11, qk),
        "key/bias": (qk,),
        "value/kernel": (11, v),
        "value/bias": (v,),
        "output/kernel": (v, output),
        "output/bias": (output,),
    }


def test_an_answer_by_hand():
    layer = Attention()
    query = np.array([[[2 * np.log(3), 0, 0, 0]]], "float32")
    value = np.array([[[1, 0, 0, 8], [0, 0, 4, 0]]], "float32")
    layer(query, value)
    for dense in (layer.query_layer, layer.key_layer, layer.value_layer):
        dense.kernel.assign(np.eye(4))
    layer.output_layer.kernel.assign(2 * np.eye(4))
    layer.output_layer.bias.assign([10, 20, 30, 40])
    outputs, scores = to_numpy(layer(query, value, return_attention_scores=True))
    # q.k = (2 ln 3, 0), divided by sqrt(4): (ln 3, 0), so the weights are 3/4 and 1/4.
    np.testing.assert_allclose(scores, [[[[0.75, 0.25]]]], rtol=1e-6)
    np.testing.assert_allclose(outputs, [[[11.5, 20, 32, 52]]], rtol=1e-6)


@pytest.mark.parametrize("masked_rows", ["zero", "uniform"])
@pytest.mark.parametrize("allowed", [None, allowed_at_random()], ids=["open", "masked"])
def test_equals_the_reference(allowed, masked_rows):
    layer = Attention(**TWO_HEADS, masked_rows=masked_rows)
    layer.build(QUERY.shape, VALUE.shape)
    randomize(layer)
    found = layer(QUERY, VALUE, attention_mask=allowed, return_attention_scores=True)
    expected = reference.attention(
        QUERY, VALUE, reference.weights_of(layer), 2, "", allowed, masked_rows
    )
    for have, want in zip(to_numpy(found), expected):
        assert have.shape == want.shape
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-5)


def test_scores_are_a_distribution_for_each_head_and_query():
    _, scores = to_numpy(Attention(**TWO_HEADS)(QUERY, VALUE, return_attention_scores=True))
    assert scores.shape == (2, 2, 3, 5)
    assert scores.min() > 0
    np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_query_that_may_attend_to_nothing(dtype):
    nothing = np.zeros((2, 3, 5), bool)
    results = {}
    for masked_rows, expected_score in (("zero", 0.0), ("uniform", 0.2)):
        layer = Attention(**TWO_HEADS, masked_rows=masked_rows, dtype=dtype)
        layer.build(QUERY.shape, VALUE.shape)
        randomize(layer)
        found = layer(QUERY, VALUE, attention_mask=nothing, return_attention_scores=True)
        found = [to_numpy(keras.ops.cast(array, "float32")) for array in found]
        results[masked_rows], scores = found
        np.testing.assert_allclose(scores, expected_score, rtol=1e-2)
        bias = to_numpy(keras.ops.cast(layer.output_layer.bias, "float32"))
    np.testing.assert_allclose(results["zero"], np.broadcast_to(bias, (2, 3, 13)), rtol=1e-2)
    assert np.isfinite(results["uniform"]).all()
    assert np.abs(results["uniform"] - bias).max() > 0.1


def test_each_mask_forbids_what_it_says():
    queries, values = np.array([[1, 1, 0], [1, 0, 1]]), np.array([[1, 0, 1, 1, 0], [1] * 5])
    layer = Attention(**TWO_HEADS)

    def scores(**masks):
        return to_numpy(layer(QUERY, VALUE, return_attention_scores=True, **masks)[1])[:, 0]

    pairs = allowed_at_random()
    everywhere = np.ones((2, 3, 5), bool)
    by_query, by_value = everywhere & (queries[:, :, None] > 0), everywhere & (values[:, None] > 0)
    np.testing.assert_array_equal(scores(query_mask=queries > 0) > 0, by_query)
    np.testing.assert_array_equal(scores(value_mask=values > 0) > 0, by_value)
    np.testing.assert_array_equal(scores(attention_mask=pairs) > 0, pairs)
    together = scores(query_mask=queries > 0, value_mask=values > 0, attention_mask=pairs)
    np.testing.assert_array_equal(together > 0, by_query & by_value & pairs)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_masks_of_zeros_and_ones(dtype):
    mask = np.array([[1, 0, 1, 1, 0], [1, 1, 1, 0, 0]])
    layer = Attention(**TWO_HEADS)
    np.testing.assert_array_equal(
        to_numpy(layer(QUERY, VALUE, value_mask=mask.astype(dtype))),
        to_numpy(layer(QUERY, VALUE, value_mask=mask > 0)),
    )


def test_dropout_changes_training_only():
    layer = Attention(**TWO_HEADS, dropout=0.5)
    inference, again = to_numpy([layer(QUERY, VALUE), layer(QUERY, VALUE, training=False)])
    np.testing.assert_array_equal(inference, again)
    assert np.abs(to_numpy(layer(QUERY, VALUE, training=True)) - inference).max() > 1e-3


def test_the_four_kernels_start_apart():
    layer = Attention()
    layer(QUERY, QUERY)
    kernels = [to_numpy(weight) for weight in layer.weights if weight.name == "kernel"]
    assert len({kernel.tobytes() for kernel in kernels}) == 4


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("num_inputs", [2, 5])
def test_a_residual_is_added(chunked, num_inputs):
    """In chunks, fewer inputs than queries and more are read in two ways."""
    layer = Attention(**TWO_HEADS, chunked=chunked)
    value, residual = VALUE[:, :num_inputs], normal(2, 3, 13, seed=2)
    layer.build(QUERY.shape, value.shape)
    randomize(layer)
    expected = to_numpy(layer(QUERY, value)) + residual
    found = to_numpy(layer(QUERY, value, residual=residual))
    np.testing.assert_allclose(found, expected, atol=1e-5)
