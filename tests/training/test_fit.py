"""`kp.training.fit` on one device: as `model.fit`, and as if nothing had happened."""

import errno
import os
import shutil
import subprocess

import keras
import numpy as np
import pytest

from keras_perceiver import training
from tests.training.small_tasks import Draw, batches

pytestmark = pytest.mark.tensorflow
STEPS = 3  # 9 examples in batches of 4


class Stop(Exception):
    pass


class Interrupt(keras.callbacks.Callback):
    """Raises after so many steps, and notes what it sees."""

    def __init__(self, after=None):
        super().__init__()
        self.after = after
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append("begin")

    def on_train_end(self, logs=None):
        self.seen.append("end")

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(epoch)

    def on_train_batch_begin(self, batch, logs=None):
        if self.after == 0:
            raise Stop

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(f"batch {batch}")
        self.after = None if self.after is None else self.after - 1


def make(optimizer="adamw", units=4, dtype=None, compile=True, eagerly=True, at_once=1):
    """Any Keras model will do here, and this one takes milliseconds."""
    keras.utils.set_random_seed(7)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((5,)), layers.Dense(units, dtype=dtype), layers.Dropout(0.1), layers.Dense(3)]
    )
    if compile:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        options = {"run_eagerly": eagerly, "steps_per_execution": at_once}
        model.compile(optimizer, loss, metrics=["accuracy"], **options)
    draw = Draw()
    return model, (draw(5), draw.whole(3))


def fit(after=None, epochs=3, model_options=(), callbacks=(), dataset=None, **options):
    """A new model, as a new process would have it, trained until interrupted."""
    model, arrays = make(**dict(model_options))
    interrupt = Interrupt(after)
    options.setdefault("validation_data", arrays)
    dataset = batches(arrays) if dataset is None else dataset
    try:
        history = training.fit(
            model, dataset, epochs=epochs, callbacks=[*callbacks, interrupt], verbose=0, **options
        )
    except Stop:
        history = None
    return model, history, interrupt.seen


@pytest.fixture(scope="module")
def whole():
    """Three epochs without interruption or directory."""
    model, history, seen = fit()
    return model.get_weights(), history, seen


def assert_same(model, history, whole):
    for found, expected in zip(model.get_weights(), whole[0], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert history.epoch == whole[1].epoch == [0, 1, 2]
    assert history.history == whole[1].history


def files(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_same_as_model_fit(whole):
    """With its own epochs `model.fit` asks for each second order of shuffled data only."""
    model, arrays = make()
    data = batches(arrays).repeat()
    history = model.fit(
        data, steps_per_epoch=STEPS, validation_data=arrays, epochs=3, verbose=0, shuffle=False
    )
    assert_same(model, history, whole)


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 2])
def test_compiled_steps_are_resumed_too(tmp_path, at_once):
    """With several in one execution, too."""
    options = {"model_options": {"eagerly": False, "at_once": at_once}, "steps_per_epoch": 4}
    model, _, _ = fit(**options)
    fit(3, directory=tmp_path, save_every=2, **options)  # after so many executions
    again, _, seen = fit(directory=tmp_path, save_every=2, **options)
    assert seen[1] == (0 if at_once == 1 else 1)
    for found, expected in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("after, saved", [(2, 2), (3, 3), (4, 4), (6, 6)])
def test_interrupted_and_resumed(whole, tmp_path, after, saved):
    """Within the first epoch, between epochs, and after another one."""
    _, history, _ = fit(after, directory=tmp_path / "run", save_every=1)
    assert history is None
    assert files(tmp_path / "run")[-1] == f"step-{saved:010d}.npz"
    model, history, seen = fit(directory=tmp_path / "run", save_every=1)
    assert_same(model, history, whole)
    # Callbacks see training begin and end once, and the numbers of the rest of the batches.
    rest = [item for epoch in range(3) for item in (epoch, *(f"batch {i}" for i in range(STEPS)))]
    epoch, step = divmod(saved, STEPS)
    rest = rest[epoch * (STEPS + 1) :]
    assert seen == ["begin", epoch, *rest[1 + step :], "end"]


def test_what_is_done_is_not_done_again_and_can_go_further(whole, tmp_path):
    fit(epochs=2, directory=tmp_path)
    model, history, seen = fit(epochs=2, directory=tmp_path)
    assert seen == [] and history.epoch == [0, 1]
    model, history, seen = fit(epochs=3, directory=tmp_path)
    assert_same(model, history, whole)
    assert seen[:2] == ["begin", 2]


@pytest.mark.slow
def test_moving_averages_are_taken_once_at_the_end(tmp_path):
    def average():
        return {"optimizer": keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)}

    expected, _, _ = fit(model_options=average())
    fit(4, model_options=average(), directory=tmp_path, save_every=1)
    for _ in range(2):  # resumed, then found to be done
        model, _, _ = fit(model_options=average(), directory=tmp_path, save_every=1)
        for found, wanted in zip(model.get_weights(), expected.get_weights()):
            np.testing.assert_array_equal(found, wanted)


def test_training_that_a_callback_has_stopped_stays_stopped(tmp_path):
    def stopping():
        return keras.callbacks.EarlyStopping("loss", baseline=-1.0, patience=1)

    model, history, _ = fit(callbacks=[stopping()], directory=tmp_path)
    again, history_again, seen = fit(callbacks=[stopping()], directory=tmp_path)
    assert history.epoch == history_again.epoch == [0, 1] and seen == []
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_half_precision_is_kept_exactly(tmp_path):
    model, _, _ = fit(epochs=1, model_options={"dtype": "bfloat16"}, directory=tmp_path)
    again, _, _ = fit(epochs=1, model_options={"dtype": "bfloat16"}, directory=tmp_path)
    for found, expected in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(found, expected)


def test_the_newest_few_are_kept(tmp_path):
    fit(directory=tmp_path, save_every=2, keep=2)
    assert files(tmp_path) == ["step-0000000008.npz", "step-0000000009.npz"]


@pytest.mark.parametrize(
    "damage",
    ["truncated", *(pytest.param(one, marks=pytest.mark.slow) for one in ("empty", "other bytes"))],
)
def test_a_damaged_newest_checkpoint_is_passed_over(whole, tmp_path, damage):
    fit(4, directory=tmp_path, save_every=1)
    newest = tmp_path / files(tmp_path)[-1]
    content = newest.read_bytes()
    middle = len(content) // 2
    other = {"truncated": content[:middle], "empty": b""}
    other["other bytes"] = content[:middle] + bytes(99) + content[middle + 99 :]
    newest.write_bytes(other[damage])
    with pytest.warns(UserWarning, match=f"{newest.name} cannot be read and is skipped"):
        model, history, seen = fit(directory=tmp_path, save_every=1)
    assert seen[:3] == ["begin", 1, "batch 0"]  # of the fourth step, whose checkpoint was damaged
    assert_same(model, history, whole)


def test_nothing_but_damaged_checkpoints_is_a_new_start(whole, tmp_path):
    (tmp_path / "step-0000000004.npz").write_bytes(b"PK")
    with pytest.warns(UserWarning, match="cannot be read"):
        model, history, _ = fit(directory=tmp_path)
    assert_same(model, history, whole)


def test_a_full_disk_is_a_warning_and_leaves_the_last_good_one(whole, tmp_path, monkeypatch):
    fit(2, directory=tmp_path, save_every=1)
    write = np.savez

    def full(file, **arrays):
        write(file, **dict(list(arrays.items())[:3]))  # a part of it fits
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    message = "No space left on device. The last good one: .*step-0000000002.npz"
    with pytest.warns(UserWarning, match=message):
        model, history, _ = fit(directory=tmp_path, save_every=1)
    assert_same(model, history, whole)  # training itself went on
    assert files(tmp_path) == ["step-0000000001.npz", "step-0000000002.npz"]
    monkeypatch.setattr(np, "savez", write)
    model, history, _ = fit(directory=tmp_path, save_every=1)
    assert_same(model, history, whole)


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The checkpoint .* could not be written")
@pytest.mark.filterwarnings("ignore:`directory` must be .*Resuming from")
def test_a_disk_that_is_really_full_and_one_that_is_read_only(whole, small_disk):
    run = small_disk / "run"
    with pytest.warns(UserWarning, match="No space left on device. The last good one: .*step-"):
        fit(8, directory=run, save_every=1, keep=9)
    kept = files(run)
    assert kept[0] == "step-0000000001.npz" and not [
        n for n in os.listdir(run) if n.startswith(".")
    ]
    model, history, _ = fit(directory=run, save_every=1, keep=9)
    assert_same(model, history, whole)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.warns(UserWarning, match=f"`directory` must be .*Resuming from .*{files(run)[-1]}"):
        model, history, _ = fit(directory=run, save_every=1, keep=9)
    assert_same(model, history, whole)


def test_a_directory_that_cannot_be_made_is_an_error_before_the_first_step(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="`directory` must be a directory that can be written to"):
        fit(directory=tmp_path / "file" / "run")


@pytest.mark.slow
def test_a_directory_that_can_no_longer_be_written_to(whole, tmp_path):
    class Replace(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                (tmp_path / "run").rename(tmp_path / "moved")
                (tmp_path / "run").write_text("")

    with pytest.warns(UserWarning, match="could not be written; training continues without it"):
        model, history, _ = fit(directory=tmp_path / "run", callbacks=[Replace()])
    assert_same(model, history, whole)
    (tmp_path / "run").unlink()
    (tmp_path / "moved").rename(tmp_path / "run")
    model, history, seen = fit(directory=tmp_path / "run")
    assert seen[1] == 1  # the last good one is that of the first epoch
    assert_same(model, history, whole)


def test_what_a_killed_process_left_aside_is_removed(tmp_path):
    (tmp_path / ".writing-abc").mkdir()
    (tmp_path / ".writing-abc" / "step-0000000004.npz").write_bytes(b"half")
    fit(epochs=1, directory=tmp_path)
    assert files(tmp_path) == ["step-0000000003.npz"]


@pytest.mark.parametrize("made", ["take", "batches", "the same"])
def test_validation_on_the_same_shuffled_pipeline_is_refused(made, tmp_path):
    """Each reading changes the order of the next one, and past validations are not read again."""
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(make()[1])
    shuffled = dataset.shuffle(30, seed=1)
    pairs = {
        "take": (shuffled.skip(3).batch(4), shuffled.take(3).batch(4)),
        "batches": (shuffled.batch(4), shuffled.batch(2).prefetch(1)),
        "the same": (shuffled.batch(4),) * 2,
    }
    train, validation = pairs[made]
    options = {"dataset": train, "validation_data": validation}
    with pytest.raises(ValueError, match="`validation_data` must not be made of the same shuffled"):
        fit(directory=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()
    once = dataset.shuffle(30, seed=1, reshuffle_each_iteration=False)
    fit(
        epochs=1,
        directory=tmp_path / "run",
        dataset=once.skip(3).batch(4),
        validation_data=once.take(3).batch(4),
    )


def test_a_directory_of_another_training_is_refused(tmp_path):
    fit(epochs=1, directory=tmp_path)
    with pytest.raises(ValueError, match="`directory` must hold the training of this model"):
        fit(directory=tmp_path, model_options={"units": 6})
    with pytest.raises(ValueError, match="epochs of the same length.* with 3 steps .* now 2"):
        fit(directory=tmp_path, steps_per_epoch=2)


def test_datasets_that_do_not_say_how_long_they_are(whole):
    dataset = batches(make()[1])
    unknown = dataset.filter(lambda *batch: True)
    with pytest.raises(ValueError, match="`steps_per_epoch` must be given .*unknown length"):
        fit(dataset=unknown)
    with pytest.raises(ValueError, match="`steps_per_epoch` must be given .*endless"):
        fit(dataset=dataset.repeat())
    with pytest.raises(ValueError, match="`steps_per_epoch` must be given .*empty"):
        fit(dataset=dataset.take(0))
    model, history, _ = fit(dataset=unknown, steps_per_epoch=STEPS)
    assert_same(model, history, whole)


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"epochs": 0}, ValueError, "`epochs` must be a whole number of at least 1"),
        ({"keep": 0}, ValueError, "`keep` must be a whole number of at least 1"),
        ({"save_every": 0}, ValueError, "`save_every` must be a whole number of at least 1"),
        ({"steps_per_epoch": 0}, ValueError, "`steps_per_epoch` must be a whole number"),
        ({"dataset": [1, 2]}, ValueError, "`dataset` must be a tf.data.Dataset.*Received: list"),
        ({"model_options": {"compile": False}}, ValueError, "must be a compiled keras.Model"),
        ({"model_options": {"at_once": 2}}, ValueError, "`steps_per_execution` must divide the"),
        (
            {"model_options": {"at_once": 3}, "save_every": 1},
            ValueError,
            "Received: steps_per_execution=3, 3 steps, save_every=1",
        ),
        ({"saveevery": 3}, TypeError, "Did you mean `save_every`?"),
    ],
)
def test_wrong_arguments(options, error, message):
    with pytest.raises(error, match=message):
        fit(**options)
