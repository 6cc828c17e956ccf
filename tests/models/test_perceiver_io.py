"""What `build_perceiver_io` does besides wiring: compiling for several outputs."""

import numpy as np
import pytest

import keras_perceiver as kp

pytestmark = pytest.mark.tensorflow


def two_values(loss_weights):
    return kp.build_perceiver_io(
        (5, 3),
        {"first": kp.Values(2), "second": kp.Values(1)},
        num_latents=3,
        latent_dim=8,
        num_self_attends_per_block=1,
        jit_compile=False,
        loss_weights=loss_weights,
    )


@pytest.mark.parametrize(
    "loss_weights",
    [pytest.param(None, marks=pytest.mark.slow), {"first": 3.0, "second": 0.25}],
)
def test_losses_are_weighted(loss_weights):
    model = two_values(loss_weights)
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(4, 5, 3)).astype("float32")
    targets = {"first": rng.normal(size=(4, 2)), "second": rng.normal(size=(4, 1))}
    logs = model.evaluate(inputs, targets, verbose=0, return_dict=True)
    answers = model.predict(inputs, verbose=0)
    losses = {key: np.mean((answers[key] - targets[key]) ** 2) for key in targets}
    weights = loss_weights or {"first": 1.0, "second": 1.0}
    wanted = sum(weights[key] * losses[key] for key in losses)
    assert logs["loss"] == pytest.approx(wanted, rel=1e-5)
    assert logs["first_loss"] == pytest.approx(losses["first"], rel=1e-5)


@pytest.mark.slow
def test_a_weight_of_zero_trains_the_other_output_only():
    model = two_values({"first": 0.0, "second": 1.0})
    heads = {key: model.decoder.get_layer(f"{key}_head") for key in ("first", "second")}
    before = {key: head.get_weights()[0] for key, head in heads.items()}
    rng = np.random.default_rng(1)
    targets = {"first": rng.normal(size=(4, 2)), "second": rng.normal(size=(4, 1))}
    model.optimizer.weight_decay = 0.0
    model.fit(rng.normal(size=(4, 5, 3)), targets, verbose=0)
    np.testing.assert_array_equal(heads["first"].get_weights()[0], before["first"])
    assert np.abs(heads["second"].get_weights()[0] - before["second"]).max() > 1e-5
