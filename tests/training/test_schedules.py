"""Learning rates at given steps, against numbers written down."""

import math
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_perceiver import training
from keras_perceiver.models.lowered_schedule import LoweredSchedule

pytestmark = pytest.mark.tensorflow


def at(schedule, *steps):
    return [float(schedule(np.int64(step))) for step in steps]


def cosine(fraction):
    return 0.5 * (1 + math.cos(math.pi * fraction))


def test_flat_then_cosine():
    schedule = training.flat_then_cosine(2e-3, 1000)
    found = at(schedule, 0, 499, 500, 750, 900, 1000, 5000)
    expected = [2e-3, 2e-3, 2e-3, 1e-3, 2e-3 * cosine(0.8), 0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)
    half = training.flat_then_cosine(1, 10, flat=0)
    np.testing.assert_allclose(at(half, 0, 5, 10), [1, 0.5, 0], atol=1e-6)


def test_warm_up_then_cosine():
    schedule = training.warm_up_then_cosine(1.25e-3, 500_000, 1_000)
    found = at(schedule, 0, 250, 1_000, 250_500, 500_000)
    np.testing.assert_allclose(found, [0, 3.125e-4, 1.25e-3, 6.25e-4, 0], rtol=1e-5, atol=1e-9)
    plain = training.warm_up_then_cosine(1, 7)
    np.testing.assert_allclose(at(plain, 0, 7), [1, 0], atol=1e-6)


def test_warm_up_then_flat():
    schedule = training.warm_up_then_flat(5e-5, 200)
    np.testing.assert_allclose(
        at(schedule, 0, 50, 200, 201, 10**6), [0, 1.25e-5, 5e-5, 5e-5, 5e-5], rtol=1e-5, atol=1e-12
    )


def test_falling_in_steps():
    """The first paper's: 120 epochs of 10 steps, lower from epochs 84, 102 and 114 on."""
    schedule = training.falling_in_steps(4e-3, 1200, at=(84 / 120, 102 / 120, 114 / 120))
    found = at(schedule, 0, 839, 840, 1019, 1020, 1139, 1140, 1199)
    expected = [4e-3, 4e-3, 4e-4, 4e-4, 4e-5, 4e-5, 4e-6, 4e-6]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    default = training.falling_in_steps(1, 100)
    np.testing.assert_allclose(at(default, 49, 50, 79, 80, 94, 95), [1, 0.1, 0.1, 0.01, 0.01, 1e-3])


@pytest.mark.parametrize(
    "schedule",
    [
        training.flat_then_cosine(2e-3, 10),
        training.warm_up_then_cosine(2e-3, 10, 3),
        training.warm_up_then_flat(2e-3, 3),
        training.falling_in_steps(2e-3, 20),
        LoweredSchedule(training.flat_then_cosine(2e-3, 10), 0.25),
    ],
)
def test_saved_in_an_optimizer(schedule):
    optimizer = training.Lamb(schedule)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    steps = (0, 1, 5, 9, 19)
    assert at(again._learning_rate, *steps) == at(schedule, *steps)


@pytest.mark.slow
def test_a_file_is_loaded_where_only_the_package_is_imported(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    schedule = LoweredSchedule(training.flat_then_cosine(2e-3, 10), 0.25)
    model.compile(training.Lamb(schedule), "mse")
    model.save(tmp_path / "model.keras")
    script = (
        "import sys, keras, keras_perceiver\n"
        f"model = keras.models.load_model({str(tmp_path / 'model.keras')!r})\n"
        "assert 'keras_perceiver.training' not in sys.modules\n"
        "print(float(model.optimizer.learning_rate))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout.strip() and float(found.stdout) == pytest.approx(5e-4), found.stderr


def test_lowered():
    schedule = LoweredSchedule(training.flat_then_cosine(2e-3, 10), 0.25)
    np.testing.assert_allclose(at(schedule, 0, 10), [5e-4, 0], atol=1e-9)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: training.flat_then_cosine(0, 10), "`peak` must be"),
        (lambda: training.flat_then_cosine(1, 0), "`steps` must be"),
        (lambda: training.flat_then_cosine(1, 10, 1.0), "`flat` must be"),
        (lambda: training.warm_up_then_cosine(1, 10, 10), "`warm_up_steps` must be below `steps`"),
        (lambda: training.warm_up_then_cosine(1, 10, -1), "`warm_up_steps` must be"),
        (lambda: training.warm_up_then_flat(1, 0), "`warm_up_steps` must be"),
        (lambda: training.warm_up_then_flat(math.inf, 1), "`peak` must be"),
        (lambda: training.falling_in_steps(1, 10, at=()), "`at` must be"),
        (lambda: training.falling_in_steps(1, 10, at=(0.5, 1.0)), r"`at\[1\]` must be"),
        (lambda: training.falling_in_steps(1, 10, at=(0.8, 0.5)), "`at` must be rising"),
        (lambda: training.falling_in_steps(1, 3), "`at` must be rising"),
        (lambda: training.falling_in_steps(1, 10, factor=1), "`factor` must be"),
        (lambda: LoweredSchedule(0.1, 0.5), "`schedule` must be"),
        (lambda: LoweredSchedule(training.warm_up_then_flat(1, 2), 0), "`scale` must be"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
