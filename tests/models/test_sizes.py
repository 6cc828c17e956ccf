"""One list of sizes and defaults, which everything takes; and nonsense for each of them."""

import dataclasses
import inspect

import pytest

import keras_perceiver as kp

BUILDERS = {
    "Perceiver": kp.Perceiver,
    "build_autoencoder": kp.build_autoencoder,
    "build_classifier": kp.build_classifier,
    "build_entity_encoder": kp.build_entity_encoder,
    "build_masked_language_model": kp.build_masked_language_model,
    "build_multitask_classifier": kp.build_multitask_classifier,
    "build_optical_flow": kp.build_optical_flow,
    "build_perceiver_io": kp.build_perceiver_io,
    "build_segmenter": kp.build_segmenter,
}
DEFAULTS = {field.name: field.default for field in dataclasses.fields(kp.Sizes)}
CHOSEN = dict.fromkeys(  # builders choose them from the shapes
    (
        "num_latents",
        "latent_dim",
        "num_self_attends_per_block",
        "num_cross_attention_heads",
        "qk_channels",
        "num_decoder_heads",
    )
)
OWN = {  # defaults of their own, which their docstrings state
    "build_autoencoder": {"min_input_padding": 4},
    "build_classifier": {"use_query_residual": True},
    "build_entity_encoder": {"num_latents": 32, "num_self_attends_per_block": 3},
    "build_multitask_classifier": {"min_query_padding": 0},
}


@pytest.mark.parametrize("name", BUILDERS)
def test_shift_tab_shows_every_argument(name):
    parameters = inspect.signature(BUILDERS[name]).parameters
    shown = {key: parameters[key].default for key in DEFAULTS}
    builders = {} if name == "Perceiver" else {**CHOSEN, "initialization": "local"}
    assert shown == {**DEFAULTS, **builders, **OWN.get(name, {})}
    assert not any(p.kind is p.VAR_KEYWORD for p in parameters.values())


@pytest.mark.parametrize("name", BUILDERS)
def test_a_misspelt_argument_is_answered_with_the_nearest(name):
    with pytest.raises(TypeError, match=rf"{name}\(\) has no argument .* mean `num_latents`"):
        BUILDERS[name](num_latent=3)


def test_a_builder_lists_only_what_it_takes():
    with pytest.raises(TypeError) as error:
        kp.build_classifier((5, 2), 3, something=1)
    assert " outputs" not in str(error.value)


def test_the_model_and_its_costs_take_the_same_defaults():
    model = kp.Perceiver((5, 2), kp.Classes(3))
    assert dataclasses.asdict(model.sizes) == DEFAULTS
    model = kp.build_perceiver_io((5, 2), kp.Classes(3), initialization="papers")
    assert dataclasses.asdict(model.sizes) == DEFAULTS


@pytest.mark.parametrize("initialization", ["local", "papers"])
@pytest.mark.parametrize("shape", [(5, 2), (16, 11, 3), (4, 4, 1), (2, 3, 5, 1)])
def test_costs_are_those_of_the_model_that_is_built(shape, initialization):
    arguments = {"inputs": shape, "outputs": kp.Classes(3), "initialization": initialization}
    model = kp.build_perceiver_io(**arguments)
    described = kp.costs(arguments)
    assert described.parameters == kp.costs(model).parameters == model.count_params()


NONSENSE = {
    bool: ["no", 1, None, float("nan")],
    int: ["2", 0, 2.5, True, None, {}],
    int | None: ["2", 0, 2.5, True],
    float: ["0.1", 1.0, -0.1, float("nan"), None, True],
}


@pytest.mark.parametrize(
    "name, value",
    [
        (field.name, value)
        for field in dataclasses.fields(kp.Sizes)
        for value in NONSENSE.get(field.type, [])
        if not (field.name.startswith("min_") and value == 0 and value is not False)
    ],
)
def test_nonsense_is_named(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        kp.Sizes(**{name: value})


@pytest.mark.parametrize(
    "options, message",
    [
        ({"activation": "golu"}, "`activation` must be"),
        ({"masked_rows": True}, "`masked_rows` must be one of"),
        ({"attention": "fast"}, "`attention` must be one of"),
        ({"latent_dim": 10}, "`latent_dim` must be divisible by `num_self_attention_heads`"),
        ({"v_channels": 6}, "`v_channels` must be divisible by `num_self_attention_heads`"),
        ({"decoder_qk_channels": 7, "num_decoder_heads": 2}, "`decoder_qk_channels` must be"),
    ],
)
def test_what_does_not_fit_together(options, message):
    with pytest.raises(ValueError, match=message):
        kp.Sizes(**options)


@pytest.mark.parametrize(
    "mask_probs, message",
    [
        ({"b": 0.5}, "`mask_probs` must name inputs among"),
        ({"array": 0.5}, "`mask_probs` can only be used with several inputs"),
        ({"array": 7}, "mask_probs"),
        (0.5, "`mask_probs` must be a dict"),
    ],
)
def test_mask_probs_of_one_input(mask_probs, message):
    with pytest.raises(ValueError, match=message):
        kp.Perceiver((5, 2), kp.Classes(3), mask_probs=mask_probs)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda v: kp.Array((5, 2), masked=v), "masked"),
        (lambda v: kp.Array((5, 2), may_be_missing=v), "may_be_missing"),
        (lambda v: kp.Array((5, 2), concat_pos=v), "concat_pos"),
        (lambda v: kp.Array((5, 2), sine_only=v), "sine_only"),
        (lambda v: kp.Image(4, 4, symmetric_padding=v), "symmetric_padding"),
        (lambda v: kp.Text(5, dynamic_length=v), "dynamic_length"),
        (lambda v: kp.Classes(3, multi_label=v), "multi_label"),
        (lambda v: kp.Grid((3,), channels=1, endpoint=v), "endpoint"),
        (lambda v: kp.Reconstruction("x", endpoint=v), "endpoint"),
        (lambda v: kp.PerInput(channels=1, zero_init=v), "zero_init"),
        (lambda v: kp.Tokens(length=3, mask_queries=v), "mask_queries"),
        (lambda v: kp.build_classifier((5, 2), 3, compile=v), "compile"),
    ],
)
@pytest.mark.parametrize("value", ["no", float("nan"), 1, None])
def test_flags_are_booleans(make, name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be True or False"):
        make(value)


@pytest.mark.parametrize(
    "make",
    [
        lambda v: kp.Array((5, 2), max_resolution=v),
        lambda v: kp.Points(5, max_resolution=v),
        lambda v: kp.Grid((3,), channels=1, max_resolution=v),
        lambda v: kp.AtPoints(3, channels=1, max_resolution=v),
        lambda v: kp.Reconstruction("x", max_resolution=v),
        lambda v: kp.FourierEncoding(3, max_resolution=v),
        lambda v: kp.build_optical_flow(4, 4, max_resolution=v),
    ],
)
@pytest.mark.parametrize("value", [0, "", {}, 2.5, [3, None], True, -1, "64"])
def test_resolutions(make, value):
    with pytest.raises(ValueError, match="`max_resolution` must be"):
        make(value)


@pytest.mark.parametrize(
    "make",
    [
        lambda v: kp.build_optical_flow(4, 4, scale=v),
        lambda v: kp.Flow(scale=v),
        lambda v: kp.PerInput(channels=2, scale=v),
    ],
)
@pytest.mark.parametrize("value", [0, -0.2, float("nan"), float("inf"), "0.2", None, True])
def test_scales(make, value):
    with pytest.raises(ValueError, match="`scale` must be a finite number and above 0. Received"):
        make(value)


@pytest.mark.parametrize("rate", ["0.1", 0, -1.0, float("nan"), None, True])
def test_learning_rates(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be a finite number and above 0"):
        kp.build_classifier((5, 2), 3, learning_rate=rate)


def test_entities_with_a_pooled_embedding():
    import numpy as np

    model = kp.build_entity_encoder(5, 4, 6, pooled_channels=3, latent_dim=8, num_latents=2)
    units = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    alive = np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], bool)
    raw = {"entities": units, "entities_mask": alive}
    answer = {name: np.asarray(array) for name, array in model(raw).items()}
    assert answer["entities"].shape == (2, 5, 6) and answer["pooled"].shape == (2, 3)
    assert answer["pooled"].min() >= 0  # ReLU
    assert kp.costs(model).parameters == model.count_params()
    other = {**raw, "entities": np.where(alive[..., None], units, 99.0)}
    np.testing.assert_allclose(np.asarray(model(other)["pooled"]), answer["pooled"], atol=1e-5)
    latents = model.encode(raw)
    found = model.decode(latents, "pooled", inputs=raw, chunk_size=2)
    np.testing.assert_allclose(found, answer["pooled"], atol=1e-5)
    with pytest.raises(ValueError, match="`indices` must be None for output 'pooled'"):
        model.decode(latents, "pooled", inputs=raw, indices=[0])
