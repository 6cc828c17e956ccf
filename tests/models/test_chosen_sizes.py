"""What builders choose from shapes: that it is used, said, and never overrides an argument."""

import keras
import numpy as np
import pytest

import keras_perceiver as kp

DEFAULTS = kp.Sizes()


def classifier(inputs, **options):
    return kp.build_classifier(inputs, 3, compile=False, **options)


@pytest.mark.usefixtures("no_local_start")
@pytest.mark.parametrize(
    "shape, kind, stem, num_inputs",
    [
        ((16, 1), kp.Series, "conv", 4),
        ((101, 6), kp.Series, "conv", 26),
        ((7, 2), kp.Array, None, 7),
        ((28, 28, 1), kp.Image, "conv", 49),
        ((12, 30, 4), kp.Image, "conv", 3 * 8),
        ((11, 30, 4), kp.Array, None, 330),
        ((8, 8, 1), kp.Array, None, 64),
        ((5, 8, 9, 2), kp.Array, None, 360),
    ],
)
def test_a_bare_shape_becomes_a_description(shape, kind, stem, num_inputs):
    model = classifier(shape)
    (reader,) = model.input_descriptions.values()
    assert type(reader) is kind and reader.normalize and reader.num_inputs == num_inputs
    assert getattr(reader, "stem_name", None) == stem
    text, reason = model.chosen["inputs"]
    assert text.startswith(kind.__name__) and "normalize=True" in text and reason
    # The text is the argument that makes the same model.
    described = eval(text, {kind.__name__: kind})
    again = classifier(described)
    assert again.count_params() == model.count_params()
    assert again.output.shape == model.output.shape
    assert "inputs" not in again.chosen


def test_each_bare_shape_of_several():
    inputs = {"x": (40, 2), "y": kp.Array((40, 2)), "z": (12, 13, 1)}
    model = classifier(inputs)
    assert {key for key in model.chosen if key.startswith("inputs")} == {
        "inputs['x']",
        "inputs['z']",
    }
    assert not model.input_descriptions["y"].normalize


@pytest.mark.usefixtures("no_local_start")
@pytest.mark.parametrize(
    "options", [{"initialization": "papers"}, {"attention": "separable"}, {"attention": "chunked"}]
)
def test_nothing_is_chosen_for_the_papers_and_for_many_inputs(options):
    model = classifier((32, 32, 3), **options)
    (reader,) = model.input_descriptions.values()
    assert type(reader) is kp.Array and not reader.normalize and "inputs" not in model.chosen
    if "initialization" in options:
        assert model.sizes == kp.Sizes(use_query_residual=True) and model.chosen == {}


@pytest.mark.usefixtures("no_local_start")
@pytest.mark.parametrize("output", [kp.PerInput(num_classes=3), kp.MeanOverInputs(channels=4)])
@pytest.mark.parametrize("shape", [(40, 2), (16, 12, 1)])
def test_an_answer_for_each_input_keeps_the_inputs(shape, output):
    model = kp.build_perceiver_io(shape, output, compile=False)
    (reader,) = model.input_descriptions.values()
    assert type(reader) is kp.Array and reader.grid == shape[:-1]
    if isinstance(output, kp.PerInput) and not isinstance(output, kp.MeanOverInputs):
        assert model.output.shape == (None, *shape[:-1], 3)


@pytest.mark.usefixtures("no_local_start")
def test_arguments_always_win():
    given = {
        "num_latents": 5,
        "latent_dim": 24,
        "num_self_attends_per_block": 3,
        "num_cross_attention_heads": 2,
        "qk_channels": 16,
        "num_decoder_heads": 2,
    }
    for inputs in ((40, 2), (32, 32, 3), kp.Text(100), kp.Table(5)):
        model = classifier(inputs, **given)
        for name, value in given.items():
            assert getattr(model.sizes, name) == value
            assert name not in model.chosen
    for name, value in given.items():
        model = classifier((32, 32, 3), **{name: value})
        assert getattr(model.sizes, name) == value and name not in model.chosen
        assert model.chosen


@pytest.mark.usefixtures("no_local_start")
def test_what_was_chosen_is_used_and_said():
    for inputs in ((40, 2), (32, 32, 3), kp.Text(100), kp.Table(5), kp.Points(50)):
        model = classifier(inputs)
        lines = []
        model.summary(print_fn=lines.append)
        for name, (value, reason) in model.chosen.items():
            if hasattr(model.sizes, name):
                assert getattr(model.sizes, name) == value
            assert f"chosen: {name}={value!r}, as {reason}" in lines


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(40, 2), (16, 12, 1), (4, 8, 8, 1)])
def test_chosen_models_train_and_are_read_back(shape, tmp_path):
    model = kp.build_classifier(shape, 3, jit_compile=False)
    x = 100 + np.random.default_rng(0).normal(size=(6, *shape)).astype("float32")
    model.fit(x, np.arange(6) % 3, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_autoencoders_say_what_was_chosen():
    model = kp.build_autoencoder({"x": (40, 2), "label": kp.Labels(3)}, compile=False)
    assert model.output["x"].shape == (None, 40, 2)
    assert model.chosen["inputs['x']"][0] == "Series(40, 2, normalize=True)"


@pytest.mark.slow
def test_tables_of_few_rows_decay_more():
    few = kp.Table(5, noise=0.3)
    model = kp.build_classifier(few, 2)
    assert model.optimizer.weight_decay == model.chosen["weight_decay"][0] == 1
    for options, decay in (
        ({"weight_decay": 0.1}, 0.1),
        ({"weight_decay": 0.0}, 0.0),
        ({"initialization": "papers"}, 0.01),
        ({"optimizer": keras.optimizers.AdamW(weight_decay=0.004)}, 0.004),
    ):
        model = kp.build_classifier(few, 2, **options)
        assert model.optimizer.weight_decay == decay and "weight_decay" not in model.chosen
    assert kp.build_classifier(kp.Table(5), 2).optimizer.weight_decay == 0.01
    with pytest.raises(ValueError, match="`weight_decay` must be"):
        kp.build_classifier(few, 2, weight_decay=-1)
