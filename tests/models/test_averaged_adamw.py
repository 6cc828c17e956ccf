"""The default optimizer of builders: warm-up, averages of weights, and nothing else changed."""

import keras
import numpy as np
import pytest

import keras_perceiver as kp


def line(optimizer):
    """A model y = w x, from w = 0."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(optimizer, "mse")
    return model


X, Y = np.ones((4, 1), "float32"), np.full((4, 1), 1000.0, "float32")


class Weights(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.found = []

    def on_train_batch_end(self, batch, logs=None):
        self.found.append(float(self.model.get_weights()[0][0, 0]))


def fitted(optimizer, steps):
    """The weight after each step, and the one at the end of `fit`."""
    model, weights = line(optimizer), Weights()
    model.fit(X, Y, batch_size=4, epochs=steps, verbose=0, callbacks=[weights])
    return np.array(weights.found), float(model.get_weights()[0][0, 0])


def test_warm_up_is_linear():
    # Far from the optimum, each step of Adam is as long as the learning rate.
    found, _ = fitted(kp.AveragedAdamW(0.1, weight_decay=0.0, warmup_steps=4), 6)
    steps = np.diff(found, prepend=0.0)
    np.testing.assert_allclose(steps, [0.025, 0.05, 0.075, 0.1, 0.1, 0.1], rtol=1e-3)


def test_without_warm_up_and_averages_it_is_adamw():
    ours = kp.AveragedAdamW(0.1, weight_decay=0.02, warmup_steps=0, use_ema=False)
    theirs = keras.optimizers.AdamW(0.1, weight_decay=0.02)
    np.testing.assert_array_equal(fitted(ours, 7)[0], fitted(theirs, 7)[0])


@pytest.mark.slow
def test_fit_ends_with_the_average_of_the_last_tenth():
    found, last = fitted(kp.AveragedAdamW(0.1, weight_decay=0.0, averaged_steps=5), 60)
    average = found[0]
    for step, weight in enumerate(found[1:], start=1):
        momentum = min(1 - 1 / 5, (1 + step) / (10 + step))
        average = momentum * average + (1 - momentum) * weight
    assert last == pytest.approx(average, rel=1e-5)
    assert last < found[-1]


def test_a_short_fit_hardly_lags():
    found, last = fitted(kp.AveragedAdamW(0.1, weight_decay=0.0, warmup_steps=0), 20)
    assert 0.8 * found[-1] < last < found[-1]  # Keras' average over 100 steps stands at a tenth


def test_the_learning_rate_stays_a_number():
    model = line(kp.AveragedAdamW(0.25))
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=1e9)
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[plateau])
    assert float(model.optimizer.learning_rate) < 0.25


def test_round_trip(tmp_path):
    model = line(kp.AveragedAdamW(0.1, warmup_steps=3, averaged_steps=7))
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    optimizer = keras.models.load_model(tmp_path / "model.keras").optimizer
    assert (optimizer.warmup_steps, optimizer.averaged_steps) == (3, 7)
    for a, b in zip(model.optimizer.variables, optimizer.variables):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("argument", ["warmup_steps", "averaged_steps"])
@pytest.mark.parametrize("value", [-1, 2.5, "3", None, True])
def test_nonsense_is_named(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be"):
        kp.AveragedAdamW(**{argument: value})


@pytest.mark.parametrize("argument", ["learning_rate", "weight_decay"])
@pytest.mark.parametrize("value", [-1, "0.1", True, {}, float("nan")])
def test_nonsense_in_place_of_rates(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be"):
        kp.AveragedAdamW(**{argument: value})


def test_builders_choose_it_unless_they_start_as_the_papers():
    small = {"num_latents": 2, "latent_dim": 8}
    model = kp.build_classifier((5, 2), 3, **small)
    assert isinstance(model.optimizer, kp.AveragedAdamW)
    model = kp.build_classifier((5, 2), 3, initialization="papers", **small)
    assert type(model.optimizer) is keras.optimizers.AdamW
