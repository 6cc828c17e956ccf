"""Losses and metrics count what sample weights select: hidden tokens, entities that exist."""

import keras
import numpy as np
import pytest

import keras_perceiver as kp

SMALL = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}


def by_hand(logits, targets, weights):
    logits = logits - logits.max(-1, keepdims=True)
    log = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    nats = -np.take_along_axis(log, targets[..., None], -1)[..., 0]
    right = logits.argmax(-1) == targets
    return (nats * weights).sum() / weights.sum(), (right * weights).sum() / weights.sum()


def test_loss_and_accuracy_are_those_of_hidden_tokens():
    random = np.random.default_rng(0)
    model = kp.build_masked_language_model(7, 11, dim=8, **SMALL)
    model.run_eagerly = True  # tracing takes far longer
    ids = random.integers(1, 11, (13, 7)).astype("int32")
    hidden = (random.random((13, 7)) < 0.3).astype("float32")
    logits = model.predict(ids, verbose=0)
    loss, accuracy = by_hand(logits, ids, hidden)
    found = model.evaluate(ids, ids, sample_weight=hidden, batch_size=13, verbose=0)
    assert found == pytest.approx([loss, accuracy], rel=1e-4)
    everywhere, _ = by_hand(logits, ids, np.ones_like(hidden))
    assert abs(loss - everywhere) > 1e-4  # so that the two cannot be confused
    without = model.evaluate(ids, ids, batch_size=13, verbose=0)
    assert without[0] == pytest.approx(everywhere, rel=1e-4)


def test_a_batch_in_which_nothing_is_hidden():
    model = kp.build_masked_language_model(7, 11, dim=8, **SMALL)
    model.run_eagerly = True
    ids = np.ones((4, 7), "int32")
    before = model.get_weights()
    history = model.fit(ids, ids, sample_weight=np.zeros((4, 7)), verbose=0).history
    assert history["loss"] == [0.0]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert max(np.abs(a - b).max() for a, b in zip(before, model.get_weights())) < 1e-4


def test_several_outputs_have_weights_of_their_own():
    outputs = {"kind": kp.Classes(3), "size": kp.Values(1)}
    model = kp.build_perceiver_io((5, 2), outputs, **SMALL)
    random = np.random.default_rng(1)
    x = random.normal(size=(9, 5, 2)).astype("float32")
    y = {"kind": random.integers(0, 3, 9), "size": random.normal(size=(9, 1))}
    weights = {"kind": (np.arange(9) % 2).astype("float32"), "size": np.ones(9, "float32")}
    found = model.evaluate(x, y, sample_weight=weights, batch_size=9, return_dict=True, verbose=0)
    _, accuracy = by_hand(model.predict(x, verbose=0)["kind"], y["kind"], weights["kind"])
    assert found["kind_accuracy"] == pytest.approx(accuracy, rel=1e-5)


def test_explicit_metrics_win():
    def names(**given):
        model = kp.build_classifier((5, 2), 3, **SMALL, **given)
        model.run_eagerly = True
        x, y = np.zeros((4, 5, 2), "float32"), np.zeros(4, "int32")
        return set(model.evaluate(x, y, return_dict=True, verbose=0)) - {"loss"}

    assert names() == {"accuracy"}
    top = keras.metrics.SparseTopKCategoricalAccuracy(2, name="top")
    assert names(metrics=[top]) == {"top"}
    assert names(weighted_metrics=[top]) == {"top"}
    assert names(metrics=[]) == set()


def test_unknown_outputs_and_metrics_are_refused():
    with pytest.raises(ValueError, match="`weighted_metrics` must name outputs among"):
        kp.build_perceiver_io((5, 2), {"a": kp.Classes(3)}, weighted_metrics={"b": []}, **SMALL)
    with pytest.raises(ValueError, match="`weighted_metrics` must be Keras metrics"):
        kp.build_classifier((5, 2), 3, weighted_metrics=["acuracy"], **SMALL)
