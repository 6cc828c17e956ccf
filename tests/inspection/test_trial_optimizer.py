import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.inspection.trial_optimizer import in_words, trial_optimizer

SCHEDULE = keras.optimizers.schedules


class OfMyOwn(keras.optimizers.SGD):
    def __init__(self, secret, **options):
        super().__init__(**options)


def test_arguments_are_kept():
    made = keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=2.0)
    found = trial_optimizer(made)
    assert found is not made and not found.built
    assert found.get_config() == made.get_config() and in_words(found) == "SGD at 0.1"


def test_warm_ups_averages_and_accumulation_are_left_out():
    made = kp.AveragedAdamW(2e-3, weight_decay=0.1, gradient_accumulation_steps=4)
    found = trial_optimizer(made)
    assert type(found) is kp.AveragedAdamW and found.weight_decay == 0.1
    assert found.warmup_steps == 0 and not found.use_ema and not found.gradient_accumulation_steps
    assert made.warmup_steps == 100 and made.use_ema and made.gradient_accumulation_steps == 4


@pytest.mark.parametrize(
    "schedule, largest",
    [
        (kp.training.warm_up_then_cosine(0.02, 90_000, warm_up_steps=3_000), 0.02),
        (SCHEDULE.PiecewiseConstantDecay([7, 5000], [0.001, 0.03, 0.01]), 0.03),
        (SCHEDULE.ExponentialDecay(0.5, 1000, 0.9), 0.5),
    ],
)
def test_the_largest_rate_of_a_schedule(schedule, largest):
    found = trial_optimizer(keras.optimizers.Adam(schedule))
    np.testing.assert_allclose(float(found.learning_rate), largest, rtol=0.03)


def test_a_rate_that_a_callback_has_changed():
    made = keras.optimizers.Adam(0.1)
    made.learning_rate = 0.025
    np.testing.assert_allclose(float(trial_optimizer(made).learning_rate), 0.025)


def test_scaled_losses():
    made = keras.optimizers.LossScaleOptimizer(kp.AveragedAdamW(2e-3), initial_scale=64.0)
    found = trial_optimizer(made)
    assert type(found) is type(made) and found.initial_scale == 64
    assert found.inner_optimizer is not made.inner_optimizer
    assert found.inner_optimizer.warmup_steps == 0 and in_words(found) == "AveragedAdamW at 0.002"


def test_a_class_that_cannot_be_copied():
    assert trial_optimizer(OfMyOwn(3, learning_rate=0.1)) is None
