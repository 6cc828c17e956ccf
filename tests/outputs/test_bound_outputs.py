"""What a bound output says of itself is true of the model that it is in."""

import math

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.models.test_every_input_with_every_output import INPUTS, OF_AN_INPUT, OUTPUTS

ROWS = [("array", output, further) for output, further, _ in OUTPUTS.values()]
ROWS += [
    ("entities", kp.MeanOverInputs(channels=7), {}),
    ("text", kp.Tokens(tied_to="x"), {}),
]
OF_INPUTS = [(name, output, {}) for name, output, _ in OF_AN_INPUT]
FIRST = {type(row[1]): row for row in reversed(OF_INPUTS)}.values()
LATER = (pytest.mark.slow, pytest.mark.everywhere)
ROWS += [pytest.param(*row, marks=() if row in FIRST else LATER) for row in OF_INPUTS]


@pytest.mark.parametrize("name, output, further", ROWS)
def test_it_knows_its_sizes(name, output, further):
    inputs, raw = INPUTS[name]
    model = kp.Perceiver(
        inputs if isinstance(inputs, dict) else {"x": inputs},
        {"out": output},
        num_latents=3,
        latent_dim=8,
        num_self_attends_per_block=1,
        num_self_attention_heads=2,
    )
    bound = model.output_descriptions["out"]
    assert bound.name == "out" and bound.latent_dim == 8
    assert bound.inputs.keys() == model.input_descriptions.keys()
    assert output.name is None and output.inputs is None  # the description itself is as it was
    answer = model({**raw, **further})["out"]
    if not bound.pools_latents:
        sources = {key: array for key, array in {**raw, **further}.items() if key != "latents"}
        queries = bound.asks(np.zeros((2, 3, 8), "float32"), sources)
        asked = bound.num_decoded or bound.num_queries or further["out_points"].shape[1]
        assert tuple(queries.array.shape) == (2, asked, bound.query_dim)
        if bound.answers_stand_alone:
            assert math.prod(answer.shape[1:]) == asked * bound.output_dim
        else:
            assert answer.shape[1:] == bound.shape
    else:
        assert answer.shape[1:] == (bound.output_dim,)
    if bound.num_classes is not None:
        assert answer.shape[-1] == bound.num_classes
    is_classes = isinstance(
        bound.default_loss(),
        (keras.losses.SparseCategoricalCrossentropy, keras.losses.BinaryCrossentropy),
    )
    assert is_classes == (bound.num_classes is not None)
