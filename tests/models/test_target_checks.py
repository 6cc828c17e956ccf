"""Targets are checked before the first step, as inputs are."""

import functools

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal

SMALL = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "jit_compile": False,
}
X = normal(4, 3, 2)
ONE_HOT = np.eye(5, dtype="float32")[[0, 1, 2, 3]]


def classifier(**options):
    return kp.build_classifier((3, 2), 5, **{**SMALL, **options})


@functools.cache
def ready(make):
    """What is refused leaves a model as it was, so that all refusals can be of one."""
    return make()


def several_labels():
    return classifier(multi_label=True)


def two_values():
    return kp.build_perceiver_io((3, 2), kp.Values(2), **SMALL)


def values_by_name():
    return kp.build_perceiver_io((3, 2), {"a": kp.Values(2)}, **SMALL)


@pytest.mark.parametrize(
    "make, y, message",
    [
        (classifier, np.array([0, 1, 5, 2]), "`y` must be whole numbers from 0 to 4"),
        (classifier, np.array([0, -1, 4, 2]), "`y` must be whole numbers from 0 to 4"),
        (classifier, np.array([0, 0.5, 4, 2]), "`y` must be whole numbers"),
        (classifier, ONE_HOT, "one-hot vectors need loss=keras.losses.CategoricalCrossentropy"),
        (classifier, np.zeros((4, 2), int), r"`y` must have shape \(batch\)"),
        (classifier, {"classes": np.zeros(4, int)}, "`y` must be an array"),
        (
            several_labels,
            np.full((4, 5), 2.0),
            "`y` must be zeros and ones",
        ),
        (
            two_values,
            normal(4, 3),
            r"`y` must have shape \(batch, 2\)",
        ),
        (
            two_values,
            np.full((4, 2), np.nan, "float32"),
            "`y` must be finite",
        ),
        (
            values_by_name,
            {"b": normal(4, 2)},
            r"`y` must have the names of outputs, \['a'\]",
        ),
        (
            values_by_name,
            normal(4, 2),
            "`y` must be a dict with the names of outputs",
        ),
    ],
)
@pytest.mark.parametrize("way", ["fit", "evaluate"])
def test_targets_that_do_not_fit(make, y, message, way):
    model = ready(make)
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        getattr(model, way)(X, y, verbose=0)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.sparse_categorical_crossentropy,
        "categorical_crossentropy",
        "binary_crossentropy",
    ],
)
def test_losses_that_take_probabilities(loss):
    with pytest.raises(ValueError, match="`loss` must take logits"):
        classifier(loss=loss)
    model = ready(classifier)
    with pytest.raises(ValueError, match=r"from_logits=True"):
        model.compile(optimizer="sgd", loss=loss)
    with pytest.raises(ValueError, match=r"`loss\['a'\]` must take logits"):
        kp.build_perceiver_io((3, 2), {"a": kp.Classes(3)}, loss={"a": loss}, **SMALL)


def test_targets_that_fit():
    losses = {
        "one-hot": (keras.losses.CategoricalCrossentropy(from_logits=True), ONE_HOT),
        "ignored": (
            keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
            np.array([0, -1, 4, -1]),
        ),
        "a column": (None, np.array([[0], [1], [4], [2]])),
        "whole floats": (None, np.array([0.0, 1.0, 4.0, 2.0])),
        "own": (lambda t, p: keras.ops.mean(p**2) + 0 * keras.ops.sum(t), normal(4, 7, 2)),
    }
    for loss, y in losses.values():
        model = classifier(loss=loss, metrics=[], optimizer="sgd")
        model.run_eagerly = True
        assert np.isfinite(model.fit(X, y, verbose=0).history["loss"]).all()
