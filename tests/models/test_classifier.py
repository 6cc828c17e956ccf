import inspect

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, to_numpy

SMALL = {
    "num_latents": 5,
    "latent_dim": 6,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
}


def classifier(shape=(5, 3), num_classes=7, **changes):
    return kp.build_classifier(shape, num_classes, **{**SMALL, **changes})


@pytest.mark.parametrize(
    "shape, head",
    [((5, 3), "query"), ((5, 3, 2), "mean"), ((2, 3, 5, 1), "query"), ((2, 1, 3, 2, 1), "mean")],
)
def test_grids_of_any_rank(shape, head):
    model = classifier(shape, head=head, compile=False)
    assert model.input_shape == (None, *shape)
    assert model.output_shape == (None, 7)
    logits = to_numpy(model(normal(2, *shape)))
    assert logits.shape == (2, 7)
    assert (logits == 0).all() == (head == "mean")  # that head starts undecided


def test_a_shape_is_an_array_with_fourier_positions():
    from_shape = classifier((5, 3, 2))
    from_array = classifier(kp.Array((5, 3, 2), normalize=True))
    from_array.set_weights(from_shape.get_weights())
    images = normal(2, 5, 3, 2)
    found, expected = to_numpy([from_shape(images), from_array(images)])
    np.testing.assert_array_equal(found, expected)


def test_one_class_is_enough():
    assert classifier(num_classes=1, multi_label=True)(normal(2, 5, 3)).shape == (2, 1)


def test_query_dim():
    decoder = classifier(query_dim=11, compile=False).get_layer("decoder")
    shapes = {weight.path: tuple(weight.shape) for weight in decoder.weights}
    assert shapes["classes_query/table"] == (1, 11)
    assert shapes["classes_head/output/kernel"] == (11, 7)


def test_defaults_for_one_class_of_many():
    model = classifier()
    assert isinstance(model.loss, keras.losses.SparseCategoricalCrossentropy)
    assert isinstance(model.optimizer, keras.optimizers.AdamW)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    model.run_eagerly = True
    results = model.evaluate(normal(2, 5, 3), np.array([0, 6]), verbose=0, return_dict=True)
    assert set(results) == {"loss", "accuracy"}
    logits = to_numpy(model(normal(2, 5, 3))).astype("float64")
    chosen = logits[[0, 1], [0, 6]] - np.log(np.exp(logits).sum(-1))
    assert results["loss"] == pytest.approx(-chosen.mean(), rel=1e-5)


def test_defaults_for_any_number_of_classes():
    model = classifier(multi_label=True)
    assert isinstance(model.loss, keras.losses.BinaryCrossentropy)
    model.run_eagerly = True
    targets = np.array([[1, 0, 1, 1, 0, 0, 0], [0] * 7], "float32")
    results = model.evaluate(normal(2, 5, 3), targets, verbose=0, return_dict=True)
    assert set(results) == {"loss", "accuracy", "auc"}
    logits = to_numpy(model(normal(2, 5, 3)))
    assert results["accuracy"] == pytest.approx(((logits > 0) == targets).mean())
    signed = np.where(targets, logits, -logits).astype("float64")
    assert results["loss"] == pytest.approx(np.log1p(np.exp(-signed)).mean(), rel=1e-5)


def test_no_weight_decay_on_biases_and_norms():
    model = classifier()
    model.optimizer.build(model.trainable_variables)
    decayed = [v for v in model.trainable_variables if model.optimizer._use_weight_decay(v)]
    assert {variable.name for variable in decayed} == {"kernel", "table"}


def test_own_optimizer_loss_and_metrics():
    optimizer = keras.optimizers.SGD(0.5)
    model = classifier(optimizer=optimizer, loss="mse", metrics=["mae"], multi_label=True)
    assert model.optimizer is optimizer
    assert model.loss == "mse"
    assert isinstance(classifier(optimizer="adam").optimizer, keras.optimizers.Adam)


def test_learning_rate_by_schedule():
    schedule = keras.optimizers.schedules.CosineDecay(0.5, 10)
    assert classifier(learning_rate=schedule).optimizer._learning_rate is schedule


def test_dtype_and_name():
    model = classifier(dtype="mixed_bfloat16", name="digits", compile=False)
    assert model.name == "digits" and not model.compiled
    policies = {layer.dtype_policy.name for layer in model._flatten_layers(include_self=False)}
    assert "mixed_bfloat16" in policies
    logits = model(normal(2, 5, 3))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"


def test_activation_reaches_every_feed_forward():
    model = classifier(activation="relu", compile=False)
    hidden = [layer for layer in model._flatten_layers() if layer.name == "hidden"]
    assert len(hidden) == 3
    assert {layer.activation for layer in hidden} == {keras.activations.relu}


def test_every_argument_is_described():
    described = kp.build_classifier.__doc__ + kp.build_perceiver_io.__doc__ + kp.Sizes.__doc__
    names = inspect.signature(kp.build_classifier).parameters
    assert [name for name in names if name not in described] == []
