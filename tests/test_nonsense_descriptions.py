"""Nonsense in place of each argument of layers, inputs, outputs and builders."""

import inspect

import pytest

import keras_perceiver as kp
from tests.nonsense import unexplained
from tests.random_values import normal

QUERY, VALUE, IMAGES = normal(2, 3, 6), normal(2, 5, 6), normal(2, 4, 5, 3)
SIZES = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
}


def fourier():
    return kp.FourierEncoding(2, (4, 5))


def called(layer_class, *arrays):
    return lambda **arguments: layer_class(**arguments)(*arrays)


# A class, what its good arguments are beside its defaults, and what it is called with.
LAYERS = {
    kp.Attention: ({}, QUERY, VALUE),
    kp.CommonWidth: ({}, {"image": QUERY, "sound": VALUE}),
    kp.ConvexUpsampling: ({"channels": 2, "stride": 3}, IMAGES),
    kp.CrossAttention: ({}, QUERY, VALUE),
    kp.FeedForward: ({}, QUERY),
    kp.FourierEncoding: ({"num_bands": 2}, IMAGES),
    kp.LatentTransformer: ({"num_self_attends_per_block": 1, "num_heads": 2}, QUERY),
    kp.LearnedArray: ({"length": 3, "dim": 2}, QUERY),
    kp.OutputHead: ({"output_dim": 2}, QUERY),
    kp.OutputQueryDecoder: ({"output_dim": 2}, QUERY, VALUE),
    kp.SelfAttention: ({"num_heads": 2}, QUERY),
    kp.SeparableCrossAttention: (
        {"positions": {"image": fourier()}},
        QUERY,
        {"image": {"features": IMAGES}},
    ),
    kp.SeparableQueryAttention: ({"position": fourier()}, IMAGES, VALUE),
    kp.EndPointError: ({}, normal(2, 4, 5, 2), normal(2, 4, 5, 2)),
}
INPUTS = {
    kp.Array: {"shape": (4, 5, 3)},
    kp.Audio: {"num_samples": 20, "samples_per_patch": 5},
    kp.Entities: {"num_entities": 3, "num_features": 2},
    kp.FramePair: {"height": 4, "width": 5},
    kp.Image: {"height": 4, "width": 6},
    kp.Labels: {"num_classes": 3},
    kp.Points: {"num_points": 4},
    kp.Series: {"length": 16},
    kp.Table: {"num_numbers": 3, "categories": (2, 5)},
    kp.Text: {"max_length": 6},
    kp.Video: {"frames": 2, "height": 4, "width": 8},
}
OUTPUTS = {
    kp.AtPoints: {"num_axes": 2, "channels": 2, "num_points": 4},
    kp.Classes: {"num_classes": 3},
    kp.Flow: {},
    kp.Grid: {"grid": (3, 2), "channels": 2},
    kp.MeanOverInputs: {},
    kp.PerInput: {"channels": 2},
    kp.Reconstruction: {"input": "frames"},
    kp.Tokens: {"length": 3},
    kp.Values: {"num_values": 2},
}
BUILDERS = {
    kp.Perceiver: {"inputs": (4, 3), "outputs": kp.Classes(2)},
    kp.build_autoencoder: {"inputs": {"image": kp.Image(4, 5), "label": kp.Labels(2)}},
    kp.build_classifier: {"inputs": (4, 3), "num_classes": 2},
    kp.build_entity_encoder: {"num_entities": 3, "num_features": 2, "channels": 2},
    kp.build_masked_language_model: {"max_length": 6},
    kp.build_multitask_classifier: {"inputs": (4, 3), "tasks": {"a": 2, "b": kp.Values(3)}},
    kp.build_optical_flow: {"height": 4, "width": 5},
    kp.build_perceiver_io: {"inputs": (4, 3), "outputs": kp.Classes(2)},
    kp.build_segmenter: {"inputs": (4, 5, 3), "num_classes": 2},
}
ELSEWHERE = {  # in test_nonsense_arguments.py, or bases and what is only returned
    *("AveragedAdamW", "Lamb"),  # in models/test_averaged_adamw.py and test_lamb.py
    *("costs", "ids_to_text", "predict_flow", "text_to_ids", "__version__", "presets"),
    *("checkpoints", "data", "export", "finetuning", "inspection", "preparation", "training"),
    *("tuning", "visualization", "check", "describe"),
    *("from_preset", "load_deepmind_weights", "upload_preset"),  # in checkpoints/
    "transfer",  # in models/test_transfer.py
    *("Costs", "Output", "PerceiverInput"),
}


def with_defaults(function, arguments):
    """What `function` takes by name, all of it."""
    parameters = inspect.signature(function).parameters.values()
    found = {
        p.name: p.default for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }
    return {**found, **arguments}


def of_outputs(output_class):
    """Describes a model of it, without building one."""
    inputs = {"frames": kp.FramePair(4, 5)}

    def function(**arguments):
        output = output_class(**arguments)
        if arguments.get("num_points", 0) is not None:  # else there are no costs
            kp.costs({"inputs": inputs, "outputs": output, **SIZES})

    return function


def explained(function, given):
    wrong = unexplained(function, lambda: given)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("layer_class", LAYERS, ids=lambda c: c.__name__)
def test_layers(layer_class):
    arguments, *arrays = LAYERS[layer_class]
    given = with_defaults(layer_class, arguments)
    for base in layer_class.__mro__[1:]:  # what is handed on by `**kwargs`
        if base.__module__.startswith("keras_perceiver"):
            given = {**with_defaults(base, {}), **given}
    if layer_class in (kp.SeparableCrossAttention, kp.SeparableQueryAttention):
        given["num_heads"] = 1
    explained(called(layer_class, *arrays), given)


@pytest.mark.parametrize("input_class", INPUTS, ids=lambda c: c.__name__)
def test_inputs(input_class):
    given = with_defaults(input_class, INPUTS[input_class])
    for base in input_class.__mro__[1:]:
        if base.__module__.startswith("keras_perceiver"):
            given = {**with_defaults(base, {}), **given}
    taken = inspect.signature(input_class).parameters
    by_its_own = {"sizes", "shape", "stem", "patch_size"} - set(taken)
    explained(input_class, {k: v for k, v in given.items() if k not in by_its_own})


@pytest.mark.parametrize("output_class", OUTPUTS, ids=lambda c: c.__name__)
def test_outputs(output_class):
    given = with_defaults(output_class, OUTPUTS[output_class])
    explained(of_outputs(output_class), given)


def test_sizes():
    explained(kp.Sizes, with_defaults(kp.Sizes, {}))


@pytest.mark.slow
@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.__name__)
def test_builders(builder):
    """Of what all builders take, each argument of `Sizes` has its case in `test_sizes`."""
    shared = set(inspect.signature(kp.Sizes).parameters)
    if builder is not kp.build_perceiver_io:
        shared |= set(inspect.signature(kp.build_perceiver_io).parameters) - {"inputs", "outputs"}
    given = with_defaults(builder, BUILDERS[builder])
    given = {k: v for k, v in given.items() if k not in shared or k in BUILDERS[builder]}

    def function(**arguments):
        return builder(**{**SIZES, **arguments})

    explained(function, given)


def test_nothing_public_is_left_out():
    known = {c.__name__ for c in (*LAYERS, *INPUTS, *OUTPUTS, *BUILDERS, kp.Sizes)}
    assert set(kp.__all__) == known | ELSEWHERE
