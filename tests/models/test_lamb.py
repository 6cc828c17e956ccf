"""LAMB as the papers train with it, against its formula, and what is decayed in every model."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp
from tests.training.small_tasks import BUILDERS, Draw

SHAPES = {"kernel": (3, 5), "bias": (5,), "gamma": (7,), "table": (2, 3), "beta": (3,)}


def variables(random):
    """All of another size; a table of zeros, as the kernel of some heads is at the start."""
    found = {name: random.normal(size=shape) for name, shape in SHAPES.items()}
    found["table"][:] = 0
    return {name: value.astype("float32") for name, value in found.items()}


def gradients(random, scale):
    found = {name: scale * random.normal(size=shape) for name, shape in SHAPES.items()}
    found["gamma"][:] = 0
    return {name: value.astype("float32") for name, value in found.items()}


def reference(values, all_gradients, rate, decay, clip, decayed=("kernel", "table")):
    """SPEC: clip, moments with bias corrections, decay, trust ratio, learning rate; in float64."""
    values = {name: value.astype("float64") for name, value in values.items()}
    m, v = dict.fromkeys(values, 0.0), dict.fromkeys(values, 0.0)
    for t, grads in enumerate(all_gradients, start=1):
        norm = np.sqrt(sum((grad.astype("float64") ** 2).sum() for grad in grads.values()))
        for name, grad in grads.items():
            grad = grad * min(1, clip / norm)
            m[name] = 0.9 * m[name] + 0.1 * grad
            v[name] = 0.999 * v[name] + 0.001 * grad**2
            u = m[name] / (1 - 0.9**t) / (np.sqrt(v[name] / (1 - 0.999**t)) + 1e-6)
            if name in decayed:
                u = u + decay * values[name]
            sizes = np.linalg.norm(values[name]), np.linalg.norm(u)
            ratio = sizes[0] / sizes[1] if min(sizes) > 0 else 1.0
            values[name] = values[name] - rate * ratio * u
    return values


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_every_step_is_that_of_the_formula(scale):
    """Gradients below the largest norm, above it, and far off; zero weights, zero gradients."""
    random = np.random.default_rng(3)
    values, all_gradients = variables(random), [gradients(random, scale) for _ in range(6)]
    tables = [keras.Variable(value, name=name) for name, value in values.items()]
    optimizer = kp.Lamb(0.05, weight_decay=0.3, global_clipnorm=2.0)
    optimizer.build(tables)
    for grads in all_gradients:
        optimizer.apply([ops.convert_to_tensor(grad) for grad in grads.values()])
    expected = reference(values, all_gradients, 0.05, 0.3, 2.0)
    for table, (name, value) in zip(tables, expected.items()):
        found = ops.convert_to_numpy(table)
        np.testing.assert_allclose(found, value, rtol=2e-5, atol=1e-6, err_msg=name)
    np.testing.assert_array_equal(ops.convert_to_numpy(tables[2]), values["gamma"])
    assert np.abs(expected["table"]).max() > 0.04  # the first step from zeros has full length


def test_decay_is_inside_the_trust_ratio_unlike_that_of_keras():
    start = np.array([30.0, 40.0], "float32")
    found = []
    for kind in (kp.Lamb, keras.optimizers.Lamb):
        table = keras.Variable(start, name="kernel")
        optimizer = kind(0.1, weight_decay=0.5)
        optimizer.build([table])
        optimizer.apply([ops.convert_to_tensor([1.0, 1.0])])
        found.append(ops.convert_to_numpy(table))
    # u = (1, 1) + (15, 20); |p| / |u| = 50 / sqrt(16^2 + 21^2).
    update = np.array([16, 21]) * 50 / np.hypot(16, 21)
    np.testing.assert_allclose(found[0], start - 0.1 * update, rtol=1e-5)
    assert np.abs(found[1] - found[0]).max() > 1


SLOW = (pytest.mark.slow, pytest.mark.everywhere)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=SLOW if n == "perceiver_io" else ()) for n in BUILDERS]
)
@pytest.mark.usefixtures("no_local_start")
def test_which_variables_are_decayed(name):
    """By the layer they belong to, not by their names."""
    model, _ = BUILDERS[name](Draw(), compile=False)
    not_decayed = set()
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.LayerNormalization):
            not_decayed |= {weight.path for weight in layer.trainable_weights}
        elif getattr(layer, "bias", None) is not None:
            not_decayed.add(layer.bias.path)
    optimizer = kp.Lamb(weight_decay=0.1)
    optimizer.build(model.trainable_variables)
    decayed = {
        variable.path
        for variable, is_decayed in zip(model.trainable_variables, optimizer._is_decayed)
        if is_decayed
    }
    everything = {variable.path for variable in model.trainable_variables}
    assert decayed == everything - not_decayed
    assert "latents/table" in decayed and not_decayed
    kinds = {path.split("/")[-1] for path in decayed}
    assert kinds - {"kernel", "table", "token_table"} == PADDINGS.get(name, set())
    assert {path.split("/")[-1] for path in not_decayed} == {"bias", "gamma", "beta"}


PADDINGS = {
    "perceiver_io": {"field_padding", "size_padding"},
    "autoencoder": {"audio_padding", "image_padding"},
}


def test_batch_normalisation_is_not_decayed():
    image = kp.Image(8, 8, 1, stem="conv", stem_norm="batch")
    model = kp.build_classifier(image, 3, num_latents=3, latent_dim=8, compile=False)
    optimizer = kp.Lamb(weight_decay=0.1)
    optimizer.build(model.trainable_variables)
    (norm,) = (
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    paths = [variable.path for variable in model.trainable_variables]
    for weight in norm.trainable_weights:
        assert not optimizer._is_decayed[paths.index(weight.path)]
    assert len(norm.trainable_weights) == 2


def test_other_exclusions():
    names = {"kernel", "bias", "kernel_2", "table"}
    tables = [keras.Variable(np.ones(2), name=name) for name in sorted(names)]
    optimizer = kp.Lamb(weight_decay=0.1, exclude_from_weight_decay=["kernel"])
    optimizer.build(tables)
    decayed = {t.name for t, is_decayed in zip(tables, optimizer._is_decayed) if is_decayed}
    assert decayed == names - {"kernel"}  # the whole name, not a part of one
    everything = kp.Lamb(weight_decay=0.1, exclude_from_weight_decay=())
    everything.build(tables)
    assert all(everything._is_decayed)


def small(optimizer, **options):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.Dense(2)])
    model.compile(optimizer, "mse", **{"run_eagerly": True, **options})
    return model


X, Y = np.random.default_rng(1).normal(size=(8, 3)), np.ones((8, 2))


def test_saved_with_its_exclusions_and_its_state(tmp_path):
    model = small(kp.Lamb(0.1, weight_decay=0.3, exclude_from_weight_decay=["kernel"]))
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is kp.Lamb
    for one in (model, again):
        one.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    for a, b in zip(model.weights, again.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_half_precision_slots_and_weights():
    """In float16, the norm of these weights would be infinite."""
    table = keras.Variable(np.full(90, 60.0), name="kernel", dtype="float16")
    optimizer = kp.Lamb(0.1, weight_decay=0.0)
    optimizer.build([table])
    optimizer.apply([ops.convert_to_tensor(np.ones(90, "float16"))])
    np.testing.assert_allclose(ops.convert_to_numpy(table).astype("float32"), 54.0, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "options", [{"jit_compile": True, "run_eagerly": False}, {"run_eagerly": True}]
)
def test_compiled_by_xla_or_not_at_all(options):
    models = [
        small(kp.Lamb(0.1, 0.1, global_clipnorm=0.1), **o)
        for o in (options, {"run_eagerly": False})
    ]
    for model in models:
        model.fit(X, Y, epochs=3, verbose=0, shuffle=False)
    for a, b in zip(models[0].weights, models[1].weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.tensorflow
def test_loss_scaling_changes_nothing():
    """Gradients are clipped after the scale was divided out."""
    plain = small(kp.Lamb(0.1, global_clipnorm=0.1))
    scaled = small(keras.optimizers.LossScaleOptimizer(kp.Lamb(0.1, global_clipnorm=0.1)))
    for model in (plain, scaled):
        model.fit(X, Y, epochs=3, verbose=0, shuffle=False)
    for a, b in zip(plain.weights, scaled.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.tensorflow
def test_accumulated_gradients_are_those_of_the_large_batch():
    options = {"weight_decay": 0.1, "global_clipnorm": 0.1}
    whole = small(kp.Lamb(0.1, **options))
    parts = small(kp.Lamb(0.1, gradient_accumulation_steps=2, **options))
    whole.fit(X, Y, batch_size=8, epochs=3, verbose=0, shuffle=False)
    parts.fit(X, Y, batch_size=4, epochs=3, verbose=0, shuffle=False)
    for a, b in zip(whole.weights, parts.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.tensorflow
def test_rows_that_were_looked_up_twice_are_clipped_by_their_sum():
    keras.utils.set_random_seed(5)
    found = []
    for sparse in (True, False):
        table = keras.Variable(np.ones((4, 2), "float32"), name="kernel")
        optimizer = kp.Lamb(0.1, global_clipnorm=1.0, epsilon=1.0)  # so that sizes matter
        optimizer.build([table])
        dense = np.array([[0, 0], [4, 6], [0, 0], [0, 0]], "float32")
        optimizer.apply([_twice() if sparse else ops.convert_to_tensor(dense)])
        found.append(ops.convert_to_numpy(table))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


def _twice():
    import tensorflow as tf

    return tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([1, 1]), [4, 2])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"learning_rate": -1.0}, "`learning_rate` must be"),
        ({"learning_rate": True}, "`learning_rate` must be"),
        ({"weight_decay": -0.1}, "`weight_decay` must be"),
        ({"beta_1": 1.0}, "`beta_1` must be"),
        ({"beta_2": -0.5}, "`beta_2` must be"),
        ({"epsilon": float("nan")}, "`epsilon` must be"),
        ({"global_clipnorm": 0}, "`global_clipnorm` must be"),
        ({"exclude_from_weight_decay": "bias"}, "`exclude_from_weight_decay` must be a list"),
        ({"exclude_from_weight_decay": [3]}, "`exclude_from_weight_decay` must be a list"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kp.Lamb(**arguments)
