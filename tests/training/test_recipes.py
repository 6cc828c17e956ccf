"""The papers' recipes: their numbers, and what a model is compiled with."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver import training
from keras_perceiver.training.recipe_table import RECIPES
from tests.training.small_tasks import BUILDERS, Draw, batches

pytestmark = pytest.mark.tensorflow

# Tables of the papers: steps, batch, learning rates at some fractions of the steps, decay, clip.
PAPERS = {
    "imagenet": (137_625, 1024, {0: 2e-3, 0.49: 2e-3, 0.75: 1e-3, 1: 0}, 0.1, 10.0),
    "imagenet_perceiver": (
        300_273,
        512,
        {0: 4e-3, 0.69: 4e-3, 0.71: 4e-4, 0.86: 4e-5, 0.96: 4e-6},
        0.1,
        10.0,
    ),
    "imagenet_finetuning": (
        131_000,
        1024,
        {0: 2e-3, 0.534: 2e-3, 201 / 262: 1e-3, 1: 0},
        0.1,
        10.0,
    ),
    "masked_language_model": (
        500_000,
        2048,
        {0: 0, 0.001: 6.25e-4, 0.002: 1.25e-3, 0.501: 6.25e-4, 1: 0},
        0.01,
        None,
    ),
    "glue": (2_000, 32, {0: 0, 0.05: 2.5e-5, 0.1: 5e-5, 1: 5e-5}, 0.01, None),
    "optical_flow": (375_000, 512, {0: 4e-4, 0.5: 2e-4, 1: 0}, None, None),
    "multimodal": (77, 1024, {0: 1e-3, 1: 1e-3}, None, None),
    "audioset": (7_800, 128, {0: 3e-4, 1: 3e-4}, None, None),
    "modelnet40": (50_000, 512, {0: 1e-3, 1: 1e-3}, None, None),
}
GIVEN = {
    "imagenet_perceiver": {"batch_size": 512},
    "glue": {"num_examples": 6_400},
    "multimodal": {"steps": 77},
    "audioset": {"batch_size": 128, "num_examples": 9_984, "peak": 3e-4},
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_numbers_of_the_papers(name):
    steps, batch, rates, decay, clip = PAPERS[name]
    recipe = training.recipe(name, **GIVEN.get(name, {}))
    assert (recipe.steps, recipe.batch_size) == (steps, batch)
    optimizer = recipe.optimizer()
    for fraction, rate in rates.items():
        optimizer.iterations.assign(round(fraction * steps))
        assert float(optimizer.learning_rate) == pytest.approx(rate, rel=1e-3, abs=1e-9)
    assert (optimizer.weight_decay, optimizer.global_clipnorm) == (decay, clip)
    betas = (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)
    assert type(optimizer) is kp.Lamb and betas == (0.9, 0.999, 1e-6)
    assert not optimizer.use_ema
    assert recipe.label_smoothing == (0.1 if name.startswith("imagenet") else 0)
    assert "arXiv" in recipe.source


def test_epochs_and_steps():
    recipe = training.recipe("imagenet", batch_size=256, num_examples=1_000, epochs=7)
    assert (recipe.steps, recipe.steps_per_epoch, recipe.epochs) == (27, 3, 9)
    assert recipe.peak == pytest.approx(5e-4)  # grows with the batch
    assert training.recipe("modelnet40", batch_size=32).peak == 1e-3
    recipe = training.recipe("masked_language_model", steps=50)
    assert recipe.epochs is None and recipe.steps_per_epoch is None
    assert recipe.learning_rate().warmup_steps == 5  # at most a tenth
    tiny = training.recipe("glue", num_examples=3, batch_size=4, epochs=2)
    assert (tiny.steps, tiny.steps_per_epoch, tiny.epochs) == (1, 1, 1)
    assert tiny.learning_rate().decay_steps == 1


@pytest.mark.parametrize(
    "name", ["imagenet", pytest.param("masked_language_model", marks=pytest.mark.slow)]
)
def test_it_trains(name):
    task = {"imagenet": "classifier", "masked_language_model": "masked_language_model"}[name]
    model, arrays = BUILDERS[task](Draw(), compile=False)
    if name == "imagenet":
        x, y = arrays
        arrays = (x, np.eye(3, dtype="float32")[y])
    recipe = training.recipe(name, batch_size=4, num_examples=9, steps=6, peak=0.05)
    assert recipe.compile(model) is model
    model.run_eagerly, model.jit_compile = True, False
    history = training.fit(model, batches(arrays), epochs=2, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] and "accuracy" in history
    assert int(model.optimizer.iterations) == recipe.steps == 6


def test_label_smoothing_of_mixed_targets():
    """(1 - 0.1) y + 0.1 / number of classes, for y between two classes."""
    model, _ = BUILDERS["classifier"](Draw(), compile=False)
    training.recipe("imagenet").compile(model)
    y, logits = np.array([[0.3, 0.7, 0.0]]), np.array([[2.0, -1.0, 0.5]])
    smoothed = 0.9 * y + 0.1 / 3
    expected = -(smoothed * (logits - np.log(np.exp(logits).sum()))).sum()
    assert float(model.loss(y, logits)) == pytest.approx(expected, rel=1e-5)


def test_losses_of_several_outputs():
    inputs = {"audio": kp.Audio(6, 2), "label": kp.Labels(3)}
    sizes = {"num_latents": 3, "latent_dim": 8, "compile": False}
    model = kp.build_autoencoder(inputs, **sizes)
    recipe = training.recipe("multimodal", steps=3)
    recipe.compile(model)
    assert model.loss["audio"] == "mae"
    assert isinstance(model.loss["label"], keras.losses.SparseCategoricalCrossentropy)
    x = {"audio": np.ones((2, 6, 1), "float32"), "label": np.eye(3, dtype="float32")[:2]}
    y = {"audio": x["audio"] + 1, "label": np.array([0, 1])}
    answers = model(x)
    audio = np.abs(answers["audio"].numpy() - y["audio"]).mean()
    label = float(model.loss["label"](y["label"], answers["label"]))
    weighted = 1.0 * audio + 1e-4 * label
    assert float(model.compute_loss(x, y, answers)) == pytest.approx(weighted, rel=1e-5)
    other = kp.build_autoencoder({"sound": kp.Audio(6, 2), "label": kp.Labels(3)}, **sizes)
    with pytest.raises(ValueError, match=r"`model` must have outputs among .*\['sound'\]"):
        recipe.compile(other)
    recipe.compile(other, loss_weights={"sound": 2.0})
    plain, _ = BUILDERS["multitask_classifier"](Draw(), compile=False)
    training.recipe("imagenet").compile(plain)
    assert {loss.label_smoothing for loss in plain.loss.values()} == {0.1}


def test_what_is_given_replaces_what_is_stated():
    model, _ = BUILDERS["classifier"](Draw(), compile=False)
    recipe = training.recipe("imagenet", ema_momentum=0.9, label_smoothing=0.0)
    dataclasses.replace(recipe, weight_decay=0.05).compile(model, jit_compile=False)
    assert isinstance(model.loss, keras.losses.SparseCategoricalCrossentropy)
    optimizer = model.optimizer
    assert (optimizer.use_ema, optimizer.ema_momentum, optimizer.weight_decay) == (True, 0.9, 0.05)
    recipe.compile(model, loss=keras.losses.MeanSquaredError())
    assert isinstance(model.loss, keras.losses.MeanSquaredError)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("imagnet",), "Did you mean 'imagenet'?"),
        ((None,), "`name` must be one of"),
        (("imagenet_perceiver",), "`batch_size` must be given, since the paper does not state it"),
        (("glue",), "`num_examples` must be given"),
        (("multimodal",), "`steps` or `epochs` must be given"),
        (("audioset", {"batch_size": 8, "num_examples": 9}), "`peak` must be given"),
        (("imagenet", {"epochs": 1, "steps": 2}), "`epochs` must be None if `steps` are given"),
        (("imagenet", {"num_examples": 2, "epochs": 1}), "`batch_size` must be at most"),
        (("imagenet", {"batch_size": 0}), "`batch_size` must be a whole number"),
        (("imagenet", {"num_examples": -1}), "`num_examples` must be a whole number"),
        (("imagenet", {"steps": 2.5}), "`steps` must be a whole number"),
        (("imagenet", {"peak": -1}), "`peak` must be"),
        (("imagenet", {"label_smoothing": 1}), "`label_smoothing` must be"),
        (("imagenet", {"ema_momentum": 1.0}), "`ema_momentum` must be"),
    ],
)
def test_bad_arguments(arguments, message):
    name, *options = arguments
    with pytest.raises(ValueError, match=message):
        training.recipe(name, **(options[0] if options else {}))


def test_bad_changes():
    recipe = training.recipe("imagenet")
    with pytest.raises(ValueError, match="`model` must be a Perceiver"):
        recipe.compile(keras.Sequential())
    model, _ = BUILDERS["classifier"](Draw(), compile=False)
    with pytest.raises(TypeError, match="has no argument `metric`. Did you mean `metrics`?"):
        recipe.compile(model, metric="accuracy")
    with pytest.raises(ValueError, match="`loss` must be Keras losses"):
        recipe.compile(model, loss="no such loss")
    with pytest.raises(TypeError, match="Did you mean `batch_size`?"):
        training.recipe("imagenet", batchsize=3)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"schedule": "cosine"}, "`schedule` must be one of"),
        ({"schedule_options": {"flt": 0.5}}, "`schedule_options` must be arguments of kp.training"),
        ({"schedule_options": None}, "`schedule_options` must be a dict"),
        ({"schedule": "warm_up_then_flat"}, "`schedule_options` must be arguments of"),
        ({"weight_decay": -1}, "`weight_decay` must be"),
        ({"global_clipnorm": 0}, "`global_clipnorm` must be"),
        ({"losses": "mse"}, "`losses` must be a dict"),
        ({"steps": 0}, "`steps` must be"),
    ],
)
def test_bad_recipes(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(training.recipe("imagenet"), **changes)
