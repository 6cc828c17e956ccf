"""Names of inputs, outputs and models: either they work everywhere or they are refused at once."""

import numpy as np
import pytest

import keras_perceiver as kp

SMALL = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
}
GRID = (3, 2)


def reads(*names, **more):
    inputs = {**{name: GRID for name in names}, **more}
    return kp.build_perceiver_io(inputs, kp.Classes(2), compile=False, **SMALL)


def gives(*names, **more):
    outputs = {**{name: kp.Classes(2) for name in names}, **more}
    return kp.build_perceiver_io(GRID, outputs, compile=False, **SMALL)


@pytest.mark.parametrize("make", [reads, gives])
@pytest.mark.parametrize(
    "name", ["größe", "日本", "_a", "class", "self", "a b", "a-b", "1a", "", 3, None]
)
def test_no_word(make, name):
    with pytest.raises(ValueError, match="must be words|must not be one that the model uses"):
        make(name)


@pytest.mark.parametrize("make", [reads, gives])
@pytest.mark.parametrize(
    "name",
    ["inputs", "encoder", "decoder", "latents", "latent_transformer", "latent_transformer_2",
     "encoder_cross_attention", "queries", "answers", "indices", "output_query_decoder",
     "training"],
)  # fmt: skip
def test_names_that_the_model_uses_itself(make, name):
    with pytest.raises(ValueError, match="must not be one that the model uses"):
        make(name)


PAIRS = {
    "a layer of an input": lambda: reads("a", "a_inputs"),
    "capital letters": lambda: reads("a", "A"),
    "capital letters of outputs": lambda: gives("a", "A"),
    "a flag": lambda: reads("a_present", a=kp.Array(GRID, may_be_missing=True)),
    "a mask": lambda: reads("a_mask", a=kp.Array(GRID, masked=True)),
    "features": lambda: reads("p_features", p=kp.Points(5, num_features=2)),
    "points of an output": lambda: kp.build_perceiver_io(
        {"f_points": GRID}, {"f": kp.AtPoints(2, channels=1)}, compile=False, **SMALL
    ),
    "indices of an output": lambda: kp.build_perceiver_io(
        {"f_indices": GRID}, {"f": kp.Grid((9,), channels=1, num_decoded=2)}, compile=False, **SMALL
    ),
    "a layer of an output": lambda: kp.build_perceiver_io(
        {"f_head": kp.Text(5, dim=8)}, {"f": kp.PerInput("f_head", channels=1)}, **SMALL
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_two_things_of_one_name(pair):
    with pytest.raises(ValueError, match="must have different names"):
        PAIRS[pair]()


@pytest.mark.parametrize("name", ["my model", "", "ü", "/a", 3])
def test_names_of_models(name):
    with pytest.raises(ValueError, match="`name` must be of the letters"):
        kp.build_classifier(GRID, 2, name=name, **SMALL)


def test_an_input_and_an_output_of_one_name():
    model = kp.build_perceiver_io(
        {"text": kp.Text(5, dim=8), "x": GRID},
        {"text": kp.Tokens(tied_to="text"), "x": kp.Reconstruction("x")},
        compile=False,
        name="a-model.1",
        **SMALL,
    )
    answer = model({"text": np.ones((2, 5), "int32"), "x": np.zeros((2, 3, 2), "float32")})
    assert {name: tuple(a.shape) for name, a in answer.items()} == {
        "text": (2, 5, 262),
        "x": (2, 3, 2),
    }
