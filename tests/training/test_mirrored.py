"""Two devices train as one does, for every task builder, or say what they cannot do."""

import json

import pytest

from tests.training import processes
from tests.training.small_tasks import BUILDERS

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]


@pytest.fixture(scope="module")
def found():
    # Devices take turns thousands of times; more threads than two would fight for two processors.
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "2"}
    return json.loads(processes.run("mirrored_script.py", **threads).splitlines()[-1])


@pytest.mark.parametrize("name", BUILDERS)
def test_two_devices_equal_one(found, name):
    """Shuffled data, and a last batch of which one device gets nothing."""
    assert found["devices"] == 2
    losses, weights = found["differences"][name]["losses"], found["differences"][name]["weights"]
    assert "loss" in losses and len(weights) > 20
    assert "val_loss" in losses or name != "classifier"
    assert max(losses.values()) < 1e-5, losses
    assert max(weights.values()) < 1e-5, {k: v for k, v in weights.items() if v > 1e-6}


def test_lamb_clips_all_devices_together(found):
    assert max(found["lamb"]["losses"].values()) < 1e-5
    weights = found["lamb"]["weights"]
    assert max(weights.values()) < 1e-5, {k: v for k, v in weights.items() if v > 1e-6}


@pytest.mark.parametrize("name, tolerance", [("guard", 1e-5), ("guard_in_half_precision", 1e-2)])
def test_a_guard_goes_back_on_all_devices(found, name, tolerance):
    (entry,) = found[name]["two"]
    assert found[name]["one"] == [entry] and entry[0] == 12 and 3 <= entry[1] < 11
    assert entry[2] == pytest.approx(0.005)
    assert found[name]["largest"] < tolerance


@pytest.mark.parametrize(
    "name, message",
    [
        ("jit_compile", "`jit_compile` must be False or 'auto' on 2 devices"),
        ("steps_per_execution", "`steps_per_execution` must be 1 on 2 devices"),
        ("gradient_accumulation_steps", "`gradient_accumulation_steps` must be None on 2"),
        ("clipnorm", "`clipnorm` must be None on 2 devices"),
        ("global_clipnorm", "`global_clipnorm` must be None on 2 devices"),
        ("clipvalue", "`clipvalue` must be None on 2 devices"),
        ("reduction", "The `reduction` of a loss must be one of"),
        ("sample_weight", "`sample_weight` must not be given on several devices"),
        ("BatchNormalization", "BatchNormalization layers must have synchronized=True on 2"),
        ("scope", "`model` must be built within `strategy.scope()`"),
    ],
)
def test_what_crashes_or_differs_is_refused_before_the_first_step(found, name, message):
    assert message in found["refusals"][name]
