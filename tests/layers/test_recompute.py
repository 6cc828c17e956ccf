"""Recomputing the inside of layers changes memory, not answers or gradients."""

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.layers import LatentTransformer
from tests.gradients import layer_gradients
from tests.peak_memory import printed_by
from tests.random_values import normal, randomize


@pytest.mark.parametrize("masked", [False, True])
def test_gradients_are_those_without(masked):
    options = {"num_self_attends_per_block": 2, "num_blocks": 2, "num_heads": 2}
    layers = [LatentTransformer(**options, recompute=recompute) for recompute in (False, True)]
    latents = normal(2, 5, 6)
    mask = np.array([[True] * 5, [True, False, True, True, False]]) if masked else None
    for layer in layers:
        layer(latents)
    randomize(layers[0])
    layers[1].set_weights(layers[0].get_weights())
    wanted, found = [
        layer_gradients(lambda x: layer(x, mask=mask, training=True), (latents,), layer.weights)  # noqa: B023
        for layer in layers
    ]
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-5, err_msg=name)


PEAK_MEMORY = """
import sys
import tensorflow as tf
from keras_perceiver.layers import LatentTransformer
from tests.peak_memory import peak
layer = LatentTransformer(12, num_heads=2, recompute=sys.argv[1] == "yes")
latents = tf.zeros((16, 128, 256))
layer(latents[:1])
before = peak()

@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(latents, training=True) ** 2)
    return tape.gradient(loss, layer.trainable_weights)

step()
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.tensorflow
def test_training_needs_less_memory():
    """In MiB, of a process of its own for each; 12 layers keep some 400 MiB otherwise."""
    grown = {}
    for recompute in ("no", "yes"):
        grown[recompute] = float(printed_by(PEAK_MEMORY, recompute)) / 2**20
    assert grown["yes"] < grown["no"] / 2, grown


def test_with_dropout_it_is_refused():
    with pytest.raises(ValueError, match="`recompute` must be False with dropout.*dropout=0.1"):
        LatentTransformer(recompute=True, dropout=0.1)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_model_trains_to_the_same_weights():
    options = {"num_latents": 3, "latent_dim": 8}
    rng = np.random.default_rng(0)
    x, labels = 1013 + rng.normal(size=(8, 6, 3)), rng.integers(0, 4, 8)
    trained = []
    for recompute in (False, True):
        keras.utils.set_random_seed(0)
        optimizer = keras.optimizers.SGD(0.1)
        model = kp.build_classifier((6, 3), 4, recompute=recompute, optimizer=optimizer, **options)
        before = model.get_weights()
        history = model.fit(x, labels, batch_size=4, epochs=2, shuffle=False, verbose=0).history
        trained.append((history["loss"], model.get_weights()))
    assert max(np.abs(a - b).max() for a, b in zip(before, trained[0][1])) > 0.01
    np.testing.assert_allclose(trained[1][0], trained[0][0], rtol=1e-4)
    for found, wanted in zip(trained[1][1], trained[0][1]):
        np.testing.assert_allclose(found, wanted, atol=1e-4)
