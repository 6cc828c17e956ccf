"""What needs two devices, here two logical CPUs, which a process must ask for before all else.

Prints as JSON, for every builder, how training on one device and on two differ, and what is said
about each combination that would not be the same.
"""

import json
import os

import keras
import numpy as np
import tensorflow as tf
from small_tasks import BUILDERS, Draw, batches

import keras_perceiver as kp

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
ONE = kp.training.strategy("one")
TWO = kp.training.strategy("mirrored", ["CPU:0", "CPU:1"])


# The others run two steps one by one, as tracing takes long; `make test-compiled` traces all.
COMPILED = tuple(BUILDERS) if os.environ.get("COMPILE_ALL") else ("classifier",)
# A constant added to all keys cancels in the softmax. The gradient of this bias is nothing but
# rounding, which AdamW makes a step of full size of, on one device as on two.
NEVER_REACHED = "key/bias"


def trained(name, strategy, compile_more=lambda model: None):
    keras.utils.set_random_seed(7)
    with strategy.scope():
        model, arrays = BUILDERS[name](Draw())
        compile_more(model)
    if name in COMPILED:
        options = {"epochs": 2, "validation_data": batches(arrays)}
    else:
        model.run_eagerly = True
        arrays, options = keras.tree.map_structure(lambda array: array[:5], arrays), {}
    history = kp.training.fit(model, batches(arrays), verbose=0, **options)
    weights = {weight.path: weight.numpy() for weight in model.weights}
    return history.history, weights


def largest(one, two):
    return float(np.abs(np.subtract(one, two)).max())


def with_lamb(model):
    """Clipped at every step, and all gradients together, which Keras does on each device."""
    model.compile(kp.training.Lamb(0.01, weight_decay=0.1, global_clipnorm=0.01), LOSS)


def difference(name, *more):
    (history, weights), (history_2, weights_2) = (
        trained(name, ONE, *more),
        trained(name, TWO, *more),
    )
    return {
        "losses": {key: largest(history[key], history_2[key]) for key in history},
        "weights": {
            path: largest(weights[path], weights_2[path])
            for path in weights
            if not path.endswith(NEVER_REACHED)
        },
    }


def guarded(strategy, half):
    """Training with a NaN in the 12th batch, of which one device sees nothing."""
    keras.utils.set_random_seed(7)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(15, 5, 3)), random.normal(size=(15, 5, 1))
    y[11, 0] = np.nan
    with strategy.scope():
        dense = keras.layers.Dense(4, dtype="mixed_float16" if half else None)
        model = keras.Sequential([keras.Input((3,)), dense, keras.layers.Dense(1)])
        optimizer = kp.training.Lamb(kp.training.flat_then_cosine(0.01, 99), global_clipnorm=0.1)
        if half:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)
        model.compile(optimizer, "mse", jit_compile=False)
    guard = kp.training.LossSpikeGuard(snapshot_every=3)
    data = tf.data.Dataset.from_tensor_slices((x, y))
    history = kp.training.fit(model, data, callbacks=[guard], verbose=0).history
    found = [[e["step"], e["snapshot"], e["learning_rate"]] for e in guard.restored]
    return found, history["loss"], [weight.numpy() for weight in model.weights]


def guard_difference(half=False):
    (one, loss, weights), (two, loss_2, weights_2) = guarded(ONE, half), guarded(TWO, half)
    differences = [largest(a, b) for a, b in zip(weights, weights_2)]
    return {"one": one, "two": two, "largest": max(largest(loss, loss_2), *differences)}


LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def compiled(**options):
    with TWO.scope():
        model, arrays = BUILDERS["classifier"](Draw(), compile=False)
        model.compile(**{"optimizer": "sgd", "loss": LOSS, **options})
    return model, arrays


def with_optimizer(**options):
    with TWO.scope():
        return compiled(optimizer=keras.optimizers.SGD(0.1, **options))


def with_reduction(reduction):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    return compiled(loss=loss)


def with_batch_norm():
    image = kp.Image(8, 8, 1, stem="conv")
    with TWO.scope():
        model = kp.build_classifier(image, 3, num_latents=3, latent_dim=8)
    draw = Draw()
    return model, (draw(8, 8, 1), draw.whole(3))


def built_outside():
    return BUILDERS["classifier"](Draw())


def weights_of_several_outputs():
    with TWO.scope():
        model = kp.build_autoencoder(
            {"text": kp.Text(5, 11, 8), "label": kp.Labels(2)}, num_latents=3, latent_dim=8
        )
    draw = Draw()
    x = {"text": draw.whole(11, 5), "label": draw(2)}
    y = {"text": x["text"], "label": draw.whole(2)}
    weights = {"text": draw.whole(2, 5).astype("float32"), "label": draw(1)[:, 0]}
    return model, (x, y, weights)


def refusals():
    cases = {
        "jit_compile": lambda: compiled(jit_compile=True),
        "steps_per_execution": lambda: compiled(steps_per_execution=2),
        "gradient_accumulation_steps": lambda: with_optimizer(gradient_accumulation_steps=2),
        "clipnorm": lambda: with_optimizer(clipnorm=1.0),
        "global_clipnorm": lambda: with_optimizer(global_clipnorm=1.0),
        "clipvalue": lambda: with_optimizer(clipvalue=1.0),
        "reduction": lambda: with_reduction("sum"),
        "sample_weight": weights_of_several_outputs,
        "BatchNormalization": with_batch_norm,
        "scope": built_outside,
    }
    for name, case in cases.items():
        model, arrays = case()
        before = model.get_weights()
        try:
            with TWO.scope():
                kp.training.fit(model, batches(arrays), verbose=0)
            message = "nothing was said"
        except ValueError as error:
            message = str(error)
        untouched = all((a == b).all() for a, b in zip(before, model.get_weights()))
        yield name, message if untouched else "the weights have changed"


print(
    json.dumps(
        {
            "differences": {name: difference(name) for name in BUILDERS},
            "lamb": difference("classifier", with_lamb),
            "guard": guard_difference(),
            "guard_in_half_precision": guard_difference(half=True),
            "devices": TWO.num_replicas_in_sync,
            "refusals": dict(refusals()),
        }
    )
)
