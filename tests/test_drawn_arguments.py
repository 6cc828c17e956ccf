"""Bad and odd arguments, drawn: either it works, or the error says what was wrong."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keras_perceiver as kp
from keras_perceiver.layers import (
    Attention,
    ConvexUpsampling,
    CrossAttention,
    FeedForward,
    FourierEncoding,
    LatentTransformer,
    LearnedArray,
    OutputQueryDecoder,
    SelfAttention,
)
from tests.random_values import normal, to_numpy

SMALL = {"num_self_attends_per_block": 1, "num_self_attention_heads": 2, "compile": False}
DRAWN = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.floats(-2, 9, width=16),
    st.sampled_from([float("nan"), float("inf"), np.int64(4), np.float32(0.5)]),
    st.sampled_from(["", "4", "query", "relu", {}, {"a": 1}]),
    st.lists(st.none() | st.integers(-1, 5) | st.just(2.5), max_size=4).map(tuple),
)
SIZE = st.integers(1, 5)
HEADS = st.sampled_from([1, 2, 3])
WIDTH = st.sampled_from([6, 12])
RATE = st.sampled_from([0, 0.0, 0.5])
ACTIVATION = st.sampled_from(["gelu_tanh", "gelu_erf", "relu", None])


@st.composite
def arguments(draw, usual):
    """Some usual arguments, and in place of up to two of them odd ones."""
    drawn = draw(st.fixed_dictionaries({}, optional=usual))
    for name in draw(st.lists(st.sampled_from(sorted(usual)), max_size=2)):
        drawn[name] = draw(ODD)
    return drawn


def assert_explained(error):
    message = str(error)
    assert re.search(r"`[a-z_]+(\['\w+'\])?`", message), message
    assert "Received" in message, message


BUILDER = {
    "inputs": st.lists(SIZE, min_size=2, max_size=4).map(tuple),
    "num_classes": SIZE,
    "multi_label": st.booleans(),
    "head": st.sampled_from(["query", "mean"]),
    "query_dim": st.none() | SIZE,
    "num_latents": SIZE,
    "latent_dim": WIDTH,
    "num_cross_attends": st.integers(1, 2),
    "share_cross_attends": st.booleans(),
    "share_first_cross_attend": st.booleans(),
    "share_latent_transformers": st.booleans(),
    "num_blocks": st.integers(1, 2),
    "num_self_attends_per_block": st.just(1),
    "num_cross_attention_heads": HEADS,
    "num_self_attention_heads": HEADS,
    "qk_channels": st.none() | WIDTH,
    "v_channels": st.none() | WIDTH,
    "cross_attention_widening_factor": st.integers(1, 2),
    "self_attention_widening_factor": st.integers(1, 2),
    "num_decoder_heads": HEADS,
    "decoder_qk_channels": st.none() | WIDTH,
    "decoder_v_channels": st.none() | WIDTH,
    "use_query_residual": st.booleans(),
    "dropout": RATE,
    "attention_dropout": RATE,
    "activation": ACTIVATION,
    "masked_rows": st.sampled_from(["zero", "uniform"]),
    "learning_rate": st.sampled_from([1e-3, 1]),
    "compile": st.booleans(),
}


@given(arguments(BUILDER))
@DRAWN
def test_drawn_arguments_of_build_classifier(drawn):
    drawn = {"inputs": (5, 3), "num_classes": 7, **SMALL, **drawn}
    try:
        model = kp.build_classifier(**drawn)
    except (ValueError, TypeError) as error:
        return assert_explained(error)
    logits = to_numpy(model(normal(2, *(size or 3 for size in drawn["inputs"]))))
    assert logits.shape == (2, drawn["num_classes"])
    assert np.isfinite(logits).all()


ATTENTION = {
    "num_heads": HEADS,
    "qk_channels": st.none() | WIDTH,
    "v_channels": st.none() | WIDTH,
    "masked_rows": st.sampled_from(["zero", "uniform"]),
}
BLOCK = {
    **ATTENTION,
    "widening_factor": SIZE,
    "dropout": RATE,
    "attention_dropout": RATE,
    "activation": ACTIVATION,
}
DRAWN_LAYERS = {
    Attention: {**ATTENTION, "output_channels": st.none() | SIZE, "dropout": RATE},
    CrossAttention: {**BLOCK, "default_channels": st.sampled_from(["value", "query"])},
    SelfAttention: BLOCK,
    LatentTransformer: {
        **BLOCK,
        "num_self_attends_per_block": st.integers(1, 2),
        "num_blocks": st.integers(1, 2),
    },
    OutputQueryDecoder: {**BLOCK, "output_dim": st.none() | SIZE},
    FeedForward: {"widening_factor": SIZE, "dropout": RATE, "activation": ACTIVATION},
    FourierEncoding: {
        "num_bands": SIZE,
        "max_resolution": st.none() | SIZE | st.tuples(SIZE) | st.tuples(SIZE, SIZE),
        "source": st.sampled_from(["grid", "coordinates"]),
        "concat_pos": st.booleans(),
        "sine_only": st.booleans(),
    },
    LearnedArray: {"length": SIZE, "dim": SIZE},
    ConvexUpsampling: {"channels": SIZE, "stride": SIZE, "hidden_channels": SIZE},
}
TWO_ARRAYS = (Attention, CrossAttention, OutputQueryDecoder)
REQUIRED = {"num_bands": 3, "length": 5, "dim": 2, "channels": 3, "stride": 2}
DRAWN_SHAPE = st.just((3, 6)) | st.lists(st.sampled_from([6, 3, 1]), max_size=3).map(tuple)


@pytest.mark.parametrize("layer_class", DRAWN_LAYERS, ids=lambda layer: layer.__name__)
@given(data=st.data())
@DRAWN
def test_drawn_arguments_of_layers(layer_class, data):
    usual = DRAWN_LAYERS[layer_class]
    drawn = data.draw(arguments(usual))
    drawn = {**{name: value for name, value in REQUIRED.items() if name in usual}, **drawn}
    arrays = [normal(2, *data.draw(DRAWN_SHAPE)) for _ in range(1 + (layer_class in TWO_ARRAYS))]
    masks = {}
    if "num_heads" in usual and data.draw(st.booleans()):
        name = "value_mask" if len(arrays) == 2 else "mask"
        masks[name] = np.ones(data.draw(st.sampled_from([arrays[-1].shape[:2], (2,), (3, 4)])))
    try:
        outputs = layer_class(**drawn)(*arrays, **masks)
    except (ValueError, TypeError) as error:
        return assert_explained(error)
    assert outputs.shape[0] == 2
    assert np.isfinite(to_numpy(outputs)).all()
