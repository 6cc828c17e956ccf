"""The guard against loss spikes: what it notices, what it goes back to, and what it says."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver import training
from keras_perceiver.training.recent_losses import RecentLosses

pytestmark = pytest.mark.tensorflow
NUM_STEPS = 24


def data(bad=(), value=np.nan, steps=NUM_STEPS):
    """Batches of 64 of a linear task, those numbered in `bad` with targets of `value`."""
    random = np.random.default_rng(2)
    x = random.normal(size=(steps, 64, 3)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], "float32") + 1
    y[list(bad)] = value
    return tf.data.Dataset.from_tensor_slices((x, y))


def make(rate=1e-3, optimizer=keras.optimizers.Adam, compile=True, eager=True, **options):
    keras.utils.set_random_seed(3)
    dense = [keras.layers.Dense(5, dtype=options.pop("dtype", None)), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *dense])
    if compile:
        model.compile(optimizer(rate), "mse", run_eagerly=eager, jit_compile=False, **options)
    return model


class Watch(keras.callbacks.Callback):
    """Notes weights after each step, and may change them before others see the step."""

    def __init__(self, poison=None):
        super().__init__()
        self.poison = poison or {}
        self.weights = []

    def on_train_begin(self, logs=None):
        self.weights.append(self.model.get_weights())

    def on_train_batch_end(self, batch, logs=None):
        if len(self.weights) in self.poison:
            factor = self.poison.pop(len(self.weights))
            self.model.set_weights([factor * weight for weight in self.model.get_weights()])
        self.weights.append(self.model.get_weights())


def fit(model, dataset, guard, watch=None, epochs=1, first=False, **options):
    """Watch comes after the guard, or before it if it is to spoil weights."""
    watch = Watch() if watch is None else watch
    callbacks = [watch, guard] if watch.poison else [guard, watch]
    history = model.fit(
        dataset, epochs=epochs, callbacks=callbacks, verbose=0, shuffle=False, **options
    )
    return history.history, watch.weights


def loss_of(model, x, y):
    return float(np.mean((model(x).numpy() - y) ** 2))


def assert_weights(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_nan_goes_back_to_the_last_snapshot(capsys):
    model = make(0.01)
    guard = training.LossSpikeGuard(snapshot_every=5, window=6)
    history, weights = fit(model, data(bad=[17]), guard)
    (entry,) = guard.restored
    assert (entry["epoch"], entry["step"]) == (0, 18) and np.isnan(entry["loss"])
    assert 5 <= entry["snapshot"] < 17  # its next loss has to be good, too
    assert_weights(weights[18], weights[entry["snapshot"]])
    assert entry["learning_rate"] == pytest.approx(0.005)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)
    assert int(model.optimizer.iterations) == entry["snapshot"] + NUM_STEPS - 18
    # The running mean of the epoch is one of numbers again.
    assert np.isfinite(history["loss"]).all() and np.isfinite(weights[-1][0]).all()
    (line,) = capsys.readouterr().out.split("\n")[1:-1]
    assert line.startswith("LossSpikeGuard: epoch 1, step 18: loss nan (median of the last ones ")
    assert line.endswith(
        f"restored the weights after {entry['snapshot']} steps, learning rate now 0.005"
    )


def test_without_the_guard_nan_stays():
    """So that the tests above and below are about something."""
    model = make(0.01)
    history, weights = fit(model, data(bad=[2], steps=4), Watch())
    assert np.isnan(history["loss"]).all() and np.isnan(weights[-1][0]).all()


def test_the_optimizer_goes_back_too():
    model = make(0.01)
    states = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: states.append(
            [variable.numpy() for variable in model.optimizer.variables]
        )
    )
    guard = training.LossSpikeGuard(snapshot_every=4, lower_by=1.0)
    model.fit(data(bad=[11]), verbose=0, callbacks=[guard, note], shuffle=False)
    (entry,) = guard.restored
    assert entry["snapshot"] > 0
    assert_weights(states[11], states[entry["snapshot"] - 1])


@pytest.mark.parametrize("in_a_row, times", [(1, 3), (3, 1), (4, 0)])
def test_spikes_that_a_running_mean_hides(in_a_row, times):
    """Three bad batches after twenty: the mean over the epoch is that of no batch."""
    model = make(1e-6)
    bad = [20, 21, 22]
    guard = training.LossSpikeGuard(in_a_row=in_a_row, patience=9, snapshot_every=1000)
    history, _ = fit(model, data(bad, value=12.0, steps=26), guard)
    assert len(guard.restored) == times
    for entry in guard.restored:
        (x, y) = list(data(bad, 12.0, 26))[entry["step"] - 1]
        assert entry["loss"] == pytest.approx(loss_of(model, x, y), rel=1e-3)
        assert entry["loss"] > 2 * entry["median"]
    assert history["loss"][0] < 30


def test_the_schedule_is_lowered_and_saved_so(tmp_path):
    schedule = training.flat_then_cosine(0.01, 60)
    model = make(schedule)
    guard = training.LossSpikeGuard(snapshot_every=2, lower_by=0.25)
    fit(model, data(bad=[9, 20]), guard)
    assert [entry["learning_rate"] for entry in guard.restored] == pytest.approx([2.5e-3, 6.25e-4])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert float(again.optimizer.learning_rate) == pytest.approx(6.25e-4)


def test_compiled_steps_follow_the_lowered_schedule():
    """The function of a step was traced with the old schedule. SGD moves by gradients alone."""
    moved = {}
    for lower_by in (1.0, 1e-6):
        model = make(training.flat_then_cosine(0.05, 60), keras.optimizers.SGD, eager=False)
        guard = training.LossSpikeGuard(lower_by=lower_by)
        _, weights = fit(model, data(bad=[9]), guard)
        assert len(guard.restored) == 1
        moved[lower_by] = np.abs(weights[-1][0] - weights[10][0]).max()
    assert moved[1.0] > 1e-2 and moved[1e-6] < 1e-5


def test_several_steps_in_one_execution():
    model = make(0.01, eager=False, steps_per_execution=3)
    guard = training.LossSpikeGuard(snapshot_every=6)
    _, weights = fit(model, data(bad=[16]), guard)
    (entry,) = guard.restored
    assert entry["step"] == 18 and entry["snapshot"] in (6, 9, 12)
    assert_weights(weights[6], weights[entry["snapshot"] // 3])


def _scaled(rate):
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(rate))


def test_mixed_precision_with_a_loss_scale():
    model = make(0.01, _scaled, dtype="mixed_float16")
    guard = training.LossSpikeGuard(snapshot_every=4)
    history, weights = fit(model, data(bad=[15], value=np.inf, steps=18), guard)
    (entry,) = guard.restored
    assert np.isfinite(history["loss"]).all() and np.isfinite(weights[-1][0]).all()
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)
    # The bad batch has halved the scale, which goes back to that of before.
    undisturbed = make(0.01, _scaled, dtype="mixed_float16")
    fit(undisturbed, data(steps=18), Watch())
    scales = [float(one.optimizer.dynamic_scale) for one in (model, undisturbed)]
    assert scales[0] == scales[1]


def test_weights_of_averages_and_lamb():
    for optimizer in (kp.AveragedAdamW, kp.Lamb):
        guard = training.LossSpikeGuard(snapshot_every=3)
        _, weights = fit(make(0.01, optimizer), data(bad=[9], steps=12), guard)
        assert len(guard.restored) == 1 and np.isfinite(weights[-1][0]).all()


def test_a_snapshot_of_bad_weights_is_not_kept():
    """Weights become 40 times as large in the step of a snapshot, whose own loss is good."""
    guard = training.LossSpikeGuard(factor=5.0, snapshot_every=1, in_a_row=1, floor=0.0)
    watch = Watch(poison={20: 40.0})
    model = make(1e-6)
    _, weights = fit(model, data(), guard, watch)
    (entry,) = guard.restored
    assert entry["step"] == 21 and entry["snapshot"] < 20
    assert np.abs(model.get_weights()[0]).max() < 2


def test_weights_that_are_not_finite_are_noticed_at_the_snapshot():
    guard = training.LossSpikeGuard(snapshot_every=1, in_a_row=1)
    watch = Watch(poison={20: np.nan, 21: np.nan, 22: np.nan})
    with pytest.raises(RuntimeError, match="weights that are not finite, loss"):
        # The first is restored, the second and the third are found in the same way or as a loss.
        fit(make(1e-6), data(), training.LossSpikeGuard(snapshot_every=1, patience=1), watch)
    watch = Watch(poison={20: np.nan})
    model = make(1e-6)
    fit(model, data(), guard, watch)
    assert len(guard.restored) == 1 and np.isfinite(model.get_weights()[0]).all()


def test_it_gives_up_with_the_weights_of_the_snapshot():
    model = make(0.01)
    guard = training.LossSpikeGuard(snapshot_every=3, patience=2)
    watch = Watch()
    with pytest.raises(RuntimeError, match="restored 2 times, each time with a lower learning"):
        fit(model, data(bad=range(12, 24)), guard, watch)
    assert [entry["step"] for entry in guard.restored] == [13, 14]
    assert_weights(model.get_weights(), watch.weights[guard.restored[0]["snapshot"]])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.0025)


def test_patience_counts_from_the_last_snapshot():
    guard = training.LossSpikeGuard(snapshot_every=2, patience=1)
    fit(make(0.01), data(bad=[9, 16, 23]), guard)
    assert len(guard.restored) == 3


def test_metrics_of_an_earlier_epoch_do_not_come_back():
    """The snapshot is one of the first epoch: the second epoch's mean starts anew after it."""
    model = make(1e-6)
    guard = training.LossSpikeGuard(snapshot_every=5)
    epochs = data(steps=8)
    history, _ = fit(model, epochs, guard, Watch(poison={10: np.nan}), epochs=2)
    (entry,) = guard.restored
    assert (entry["epoch"], entry["step"]) == (1, 3) and 0 < entry["snapshot"] < 8
    rest = [loss_of(model, x, y) for x, y in list(epochs)[3:]]
    assert history["loss"][1] == pytest.approx(np.mean(rest), rel=1e-4)


def test_a_snapshot_before_a_high_loss_is_not_kept():
    """Not even if that was one bad batch: nothing tells."""
    model = make(1e-6)
    losses = [loss_of(model, x, y) for x, y in data()]
    for bad in range(14, 21):
        if losses[bad - 1] <= np.median(losses[:bad]):  # so that a snapshot was taken before
            break
    x, y = (np.array(part) for part in zip(*data([bad], value=12.0)))
    y[bad + 2] = np.nan
    guard = training.LossSpikeGuard(snapshot_every=1)
    fit(model, tf.data.Dataset.from_tensor_slices((x, y)), guard)
    (entry,) = guard.restored
    assert entry["step"] == bad + 3 and entry["snapshot"] != bad


class Stop(Exception):
    pass


class StopAfter(keras.callbacks.Callback):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        self.steps -= 1
        if self.steps == 0:
            raise Stop


def test_resumed_with_its_state(tmp_path):
    """In the middle of an epoch, after a restore: the rate stays low, the count goes on."""
    options = {"epochs": 2, "directory": tmp_path, "save_every": 2, "verbose": 0}
    schedule = training.flat_then_cosine(0.01, 1000)
    guard = training.LossSpikeGuard(snapshot_every=2)
    with pytest.raises(Stop):
        callbacks = [guard, StopAfter(12)]
        training.fit(make(schedule), data(bad=[9], steps=14), callbacks=callbacks, **options)
    assert len(guard.restored) == 1
    again, model = training.LossSpikeGuard(snapshot_every=2), make(schedule)
    history = training.fit(model, data(bad=[9], steps=14), callbacks=[again], **options).history
    # Once before the interruption, and once in the second epoch, since the data have not changed.
    steps = [(entry["epoch"], entry["step"]) for entry in again.restored]
    assert steps == [(0, 10), (1, 10)] and np.isfinite(history["loss"]).all()
    assert float(model.optimizer.learning_rate) == pytest.approx(0.0025)
    other = make(schedule)
    third = training.LossSpikeGuard()  # resumed when all is done: nothing happens
    training.fit(other, data(bad=[9], steps=14), callbacks=[third], **options)
    assert third.restored == []


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"factor": 1.0}, "`factor` must be"),
        ({"in_a_row": 0}, "`in_a_row` must be"),
        ({"window": 1}, "`window` must be"),
        ({"floor": -0.1}, "`floor` must be"),
        ({"snapshot_every": 0}, "`snapshot_every` must be"),
        ({"lower_by": 0}, "`lower_by` must be"),
        ({"lower_by": 1.5}, "`lower_by` must be"),
        ({"patience": 0}, "`patience` must be"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.LossSpikeGuard(**arguments)


def test_models_that_cannot_be_guarded(monkeypatch):
    model = make()
    model.set_weights([weight * np.nan for weight in model.get_weights()])
    with pytest.raises(ValueError, match="whose weights are finite"):
        fit(model, data(), training.LossSpikeGuard())
    with pytest.raises(ValueError, match="must be a number or a schedule"):
        fit(make(lambda: 0.1), data(), training.LossSpikeGuard())
    with pytest.raises(ValueError, match="must be a number or a schedule"):
        fit(make(lambda: 0.1, _scaled), data(), training.LossSpikeGuard())
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    unbuilt.compile("sgd", "mse")
    with pytest.raises(ValueError, match="that is built before training"):
        fit(unbuilt, data(), training.LossSpikeGuard())
    guard = training.LossSpikeGuard()
    guard.set_model(make())
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="needs Keras on TensorFlow"):
        guard.on_train_begin()


def test_what_is_high():
    recent = RecentLosses(window=20, factor=2.0, floor=0.1)
    assert not recent.is_high(1e9)  # too early to tell
    for _ in range(10):
        recent.add(4.0)
    assert recent.is_high(8.1) and not recent.is_high(7.9)
    for _ in range(20):
        recent.add(0.001)
    assert recent.is_high(0.402) and not recent.is_high(0.4)  # 0.1 of the first losses
    below = RecentLosses(window=20, factor=2.0, floor=0.0)
    for _ in range(10):
        below.add(-3.0)
    assert below.is_high(0.1) and not below.is_high(-0.1)
    again = RecentLosses(window=20, factor=2.0, floor=0.1)
    again.restore(recent.state())
    assert again.is_high(0.402) and not again.is_high(0.4) and again.median == recent.median


def test_noise_is_no_spike():
    """Losses of small batches scatter widely around a falling curve."""
    random = np.random.default_rng(4)
    curve = 2.3 * np.exp(-np.arange(20_000) / 500) + 0.01
    losses = curve * random.gamma(2.0, 0.5, size=20_000)
    recent, row, longest = RecentLosses(100, 2.0, 0.1), 0, 0
    for loss in losses:
        if recent.is_high(loss):
            row += 1
            longest = max(longest, row)
        else:
            row = 0
            recent.add(loss)
    assert longest < 3
