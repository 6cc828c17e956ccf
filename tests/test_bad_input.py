"""Every error says the argument, what was wanted and what came."""

import re

import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.layers import (
    Attention,
    CommonWidth,
    CrossAttention,
    FeedForward,
    FourierEncoding,
    LatentTransformer,
    LearnedArray,
    OutputQueryDecoder,
    SelfAttention,
)
from tests.random_values import normal

QUERY, VALUE = normal(2, 3, 7), normal(2, 5, 11)
SMALL = {
    "num_latents": 5,
    "latent_dim": 6,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "compile": False,
}


def classifier(inputs=(5, 3), num_classes=7, **changes):
    return kp.build_classifier(inputs, num_classes, **{**SMALL, **changes})


def not_a_number_there():
    positions = np.zeros((2, 5, 3), "float32")
    positions[1, 3, 2] = np.nan
    return FourierEncoding(2, 11, source="coordinates")(positions)


COUNT = "be a whole number of at least 1"
BY_HEADS = "be divisible by `num_heads`"
RATE_BOUNDS = "be a finite number and at least 0 and below 1"
QUERY_SHAPE = "have shape (batch, num_queries, query_dim)"
ARRAY_SHAPE = "have shape (batch, length, channels)"
A_SHAPE = "be a tuple of one or more whole numbers of at least 1"
GRID_SHAPE = (
    "have one or more grid axes and then a known number of channels, like (length, channels) or "
    "(height, width, channels)"
)
AN_INPUT = (
    "be an input description such as kp.Array((28, 28, 1)), a shape such as (28, 28, 1), or a dict "
    "of these by name"
)
ALLOWED = "True where attention is allowed"

# What is called, the argument that is wrong, what it must, and what came.
BAD_CALLS = {
    "widths and heads": [
        (lambda: Attention(3, 8), "qk_channels", BY_HEADS, "qk_channels=8, num_heads=3"),
        (lambda: CrossAttention(3, 6, 8), "v_channels", BY_HEADS, "v_channels=8, num_heads=3"),
        (lambda: Attention(2)(QUERY, VALUE), "qk_channels", BY_HEADS, "qk_channels=7, num_heads=2"),
        (lambda: CrossAttention(2)(QUERY, VALUE), "qk_channels", BY_HEADS, "qk_channels=11"),
        (lambda: SelfAttention()(QUERY), "qk_channels", BY_HEADS, "qk_channels=7, num_heads=8"),
        (
            lambda: classifier(latent_dim=7),
            "latent_dim",
            "be divisible by `num_self_attention_heads`",
            "latent_dim=7, num_self_attention_heads=2",
        ),
        (lambda: Attention(num_heads=0), "num_heads", COUNT, "num_heads=0"),
        (lambda: SelfAttention(num_heads=2.0), "num_heads", COUNT, "num_heads=2.0"),
        (lambda: CrossAttention(qk_channels=-4), "qk_channels", COUNT, "qk_channels=-4"),
        (lambda: FeedForward(0), "widening_factor", COUNT, "widening_factor=0"),
    ],
    "counts": [
        (lambda: classifier(num_latents=0), "num_latents", COUNT, "num_latents=0"),
        (lambda: classifier(num_classes=0), "num_classes", COUNT, "num_classes=0"),
        (lambda: classifier(num_classes="ten"), "num_classes", COUNT, "num_classes='ten'"),
        (
            lambda: classifier(num_cross_attends=0),
            "num_cross_attends",
            COUNT,
            "num_cross_attends=0",
        ),
        (lambda: classifier(num_blocks=True), "num_blocks", COUNT, "num_blocks=True"),
        (lambda: LatentTransformer(0), "num_self_attends_per_block", COUNT, "num_self_attends"),
        (lambda: LearnedArray(0, 3), "length", COUNT, "length=0"),
        (lambda: LearnedArray(5, None), "dim", COUNT, "dim=None"),
        (lambda: FourierEncoding(0), "num_bands", COUNT, "num_bands=0"),
        (lambda: OutputQueryDecoder(0), "output_dim", COUNT, "output_dim=0"),
        (
            lambda: CommonWidth(-1),
            "min_padding",
            "be a whole number of at least 0",
            "min_padding=-1",
        ),
    ],
    "rates": [
        (lambda: FeedForward(dropout=1.0), "dropout", RATE_BOUNDS, "dropout=1.0"),
        (lambda: Attention(dropout=float("nan")), "dropout", RATE_BOUNDS, "dropout=nan"),
        (
            lambda: classifier(attention_dropout=-0.1),
            "attention_dropout",
            RATE_BOUNDS,
            "attention_dropout=-0.1",
        ),
        (
            lambda: classifier(compile=True, learning_rate=0),
            "learning_rate",
            "be a finite number and above 0",
            "learning_rate=0",
        ),
        (
            lambda: CommonWidth(mask_probs={"audio": 2}),
            "mask_probs['audio']",
            "be a finite number and at least 0 and at most 1",
            "mask_probs['audio']=2",
        ),
        (
            lambda: CommonWidth(mask_probs=0.5),
            "mask_probs",
            "be a dict from names of inputs to probabilities",
            "mask_probs=0.5",
        ),
        (
            lambda: CommonWidth(mask_probs={"sound": 1})({"audio": QUERY}),
            "mask_probs",
            "name inputs among ['audio']",
            "mask_probs for ['sound']",
        ),
    ],
    "choices": [
        (lambda: classifier(head="max"), "head", "be one of ('query', 'mean')", "head='max'"),
        (
            lambda: Attention(masked_rows="nan"),
            "masked_rows",
            "be one of ('zero', 'uniform')",
            "masked_rows='nan'",
        ),
        (
            lambda: CrossAttention(default_channels="key"),
            "default_channels",
            "be one of ('value', 'query')",
            "default_channels='key'",
        ),
        (
            lambda: FourierEncoding(2, source="pixels"),
            "source",
            "be one of ('grid', 'coordinates')",
            "source='pixels'",
        ),
        (
            lambda: FeedForward(activation="swoosh"),
            "activation",
            "be 'gelu_tanh', 'gelu_erf', the name of a Keras activation or a function",
            "activation='swoosh'",
        ),
    ],
    "ranks": [
        (lambda: Attention()(QUERY[0], VALUE), "query", QUERY_SHAPE, "query of shape (3, 7)"),
        (
            lambda: CrossAttention()(QUERY, VALUE[..., None]),
            "value",
            "have shape (batch, num_inputs, value_dim)",
            "value of shape (2, 5, 11, 1)",
        ),
        (lambda: SelfAttention()(QUERY[0]), "inputs", ARRAY_SHAPE, "inputs of shape (3, 7)"),
        (lambda: LatentTransformer()(QUERY[0]), "inputs", ARRAY_SHAPE, "inputs of shape (3, 7)"),
        (lambda: OutputQueryDecoder()(QUERY[0], VALUE), "query", QUERY_SHAPE, "query of shape (3,"),
        (
            lambda: FeedForward()(QUERY[0, 0]),
            "inputs",
            "have shape (batch, ..., channels)",
            "inputs of shape (7,)",
        ),
        (
            lambda: FourierEncoding(2)(QUERY[0]),
            "inputs",
            "have shape (batch, *grid, channels) with at least one grid axis",
            "inputs of shape (3, 7)",
        ),
        (
            lambda: FourierEncoding(2, 5, source="coordinates")(QUERY[0]),
            "coordinates",
            "have shape (batch, num_positions, num_axes)",
            "coordinates of shape (3, 7)",
        ),
    ],
    "descriptions": [
        (lambda: classifier((5,)), "shape", GRID_SHAPE, "shape=(5,)"),
        (lambda: classifier((5, None)), "shape", GRID_SHAPE, "shape=(5, None)"),
        (
            lambda: classifier((5, 0, 3)),
            "shape",
            A_SHAPE + " (or None for a size known only at call time)",
            "shape=(5, 0, 3)",
        ),
        (
            lambda: classifier((None, 3)),
            "max_resolution",
            "be given if a size of the grid is None",
            "shape=(None, 3), max_resolution=None",
        ),
        (lambda: classifier(224), "inputs", AN_INPUT, "inputs=224"),
        (lambda: classifier({}), "inputs", AN_INPUT, "inputs={}"),
    ],
    "positions": [
        (
            not_a_number_there,
            "coordinates",
            "be finite numbers",
            "nan at index (1, 3, 2)",
        ),
        (
            lambda: FourierEncoding(2, source="coordinates"),
            "max_resolution",
            "be given with source='coordinates': the number of samples along each axis that "
            "can be distinguished",
            "max_resolution=None",
        ),
        (
            lambda: FourierEncoding(2, (5, 7))(QUERY),
            "max_resolution",
            "give one number for each of the 1 axes of inputs of shape (2, 3, 7)",
            "max_resolution=(5, 7)",
        ),
        (lambda: FourierEncoding(2, (5, 0)), "max_resolution", A_SHAPE, "max_resolution=(5, 0)"),
    ],
    "masks": [
        (
            lambda: Attention()(QUERY, VALUE, query_mask=np.ones((2, 5))),
            "query_mask",
            f"have shape (2, 3), {ALLOWED}",
            "query_mask of shape (2, 5)",
        ),
        (
            lambda: CrossAttention()(QUERY, VALUE, value_mask=np.ones((5,))),
            "value_mask",
            f"have shape (2, 5), {ALLOWED}",
            "value_mask of shape (5,)",
        ),
        (
            lambda: OutputQueryDecoder()(QUERY, VALUE, query_mask=np.ones((3, 2))),
            "query_mask",
            f"have shape (2, 3), {ALLOWED}",
            "query_mask of shape (3, 2)",
        ),
        (
            lambda: Attention()(QUERY, VALUE, attention_mask=np.ones((2, 5, 3))),
            "attention_mask",
            f"have shape (2, 3, 5), {ALLOWED}",
            "attention_mask of shape (2, 5, 3)",
        ),
        (
            lambda: LatentTransformer(1, num_heads=1)(QUERY, mask=np.ones((3, 3))),
            "mask",
            f"have shape (2, 3), {ALLOWED}",
            "mask of shape (3, 3)",
        ),
    ],
}


@pytest.mark.parametrize("kind", BAD_CALLS)
def test_messages(kind):
    for call, argument, wanted, came in BAD_CALLS[kind]:
        message = f"`{argument}` must {wanted}. Received: {came}"
        with pytest.raises(ValueError, match=re.escape(message)):
            call()


@pytest.mark.parametrize("wrong, right", [("num_latent", "num_latents"), ("droput", "dropout")])
def test_an_unknown_keyword_is_answered_with_the_nearest(wrong, right):
    message = f"has no argument `{wrong}`. Did you mean `{right}`? It takes: inputs, "
    with pytest.raises(TypeError, match=re.escape(message)) as caught:
        classifier(**{wrong: 3})
    assert f"Received: {wrong}=3" in str(caught.value)


def test_an_unknown_keyword_near_a_builder_s_own():
    message = "build_classifier() has no argument `multi_labels`. Did you mean `multi_label`?"
    with pytest.raises(TypeError, match=re.escape(message)):
        classifier(multi_labels=True)


@pytest.fixture(scope="module")
def small_classifier():
    return classifier()


@pytest.mark.parametrize("shape", [(2, 5), (2, 5, 4), (2, 6, 3), (2, 5, 3, 1)])
def test_an_array_of_another_shape_than_the_model_s(shape, small_classifier):
    message = f"`inputs['array']` must have shape (batch, 5, 3). Received: shape {shape}"
    with pytest.raises(ValueError, match=re.escape(message)):
        small_classifier(normal(*shape))
