"""`model.fit` that loses nothing and is the same on several devices."""

import contextlib
import os

import keras
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.training import keras_remedy
from keras_perceiver.training.check_apart import check_apart
from keras_perceiver.training.check_replicas import check_replicas
from keras_perceiver.training.checkpoint_directory import CheckpointDirectory
from keras_perceiver.training.resuming_callbacks import ResumingCallbacks
from keras_perceiver.training.stream import stream
from keras_perceiver.training.training_state import TrainingState
from keras_perceiver.training.weight_replicas import weight_replicas


@arguments.explain_unknown
def fit(
    model: keras.Model,
    dataset: tf.data.Dataset,
    *,
    epochs: int = 1,
    directory=None,
    save_every: int | None = None,
    keep: int = 3,
    steps_per_epoch: int | None = None,
    validation_data=None,
    validation_steps: int | None = None,
    validation_freq: int = 1,
    callbacks=(),
    verbose="auto",
):
    """Trains a compiled model, and goes on where it was if it was interrupted.

    Run the same script again after a kill, a crash or a power cut: model, optimizer, random
    seeds, metrics, epoch, step and place in the data are what they were at the last checkpoint,
    and the weights at the end those of a training that was not interrupted. That holds if the
    script makes the same model and the same pipeline again (give it a `seed`), and for callbacks
    without memory of their own: what `EarlyStopping` has counted starts again from zero.

    On several devices (see `kp.training.strategy`) the result is that of one device: every batch
    is divided evenly, and devices with fewer examples of it count for less. What crashes or would
    silently differ is refused before the first step. `dataset` is the same for all workers of
    `MultiWorkerMirroredStrategy`: the whole data in the same order, in batches for all of them
    together; each worker takes its part. `directory` must then be one that all of them see.

    Args:
        model: A compiled Keras model.
        dataset: One epoch of batches `(inputs, targets)` or `(inputs, targets, weights)`.
        epochs: Number of epochs, including those before an interruption.
        directory: Where checkpoints are written and looked for. Default: none are.
        save_every: Steps between checkpoints. Default: at the end of each epoch only.
        keep: How many checkpoints to keep, in case the newest is damaged.
        steps_per_epoch: Batches in an epoch. Default: what `dataset` says it has.
        validation_data, validation_steps, validation_freq, verbose: As in `model.fit`.
        callbacks: A list of Keras callbacks.

    Returns:
        The `History` of all epochs, those before an interruption included.

    Raises:
        ValueError: if `dataset` does not say how many batches it has and `steps_per_epoch` does
            not either; if `directory` cannot be written to, or holds the training of another
            model or with epochs of another length; if the model is compiled with what does not
            work on several devices.
        RuntimeError: if Keras is not running on TensorFlow, or workers start from different
            checkpoints; on several devices, if this version of Keras is not known.

    A checkpoint that cannot be written (a full disk) or read (a truncated file) is a warning that
    names it; training goes on, from the last good one. To take up the data again, the batches
    before that place are made once more and thrown away. Epochs of shuffled data have the orders
    of `dataset.repeat()`; `model.fit` left to itself takes each second of them.

    Example:

    >>> train, test = kp.data.digits(batch_size=32, seed=1)
    >>> model = kp.build_classifier((8, 8, 1), num_classes=10)
    >>> kp.training.fit(model, train, epochs=20, directory="runs/digits", save_every=100)
    """
    _check(model, dataset, epochs, save_every, keep)
    _check_options(
        directory, validation_data, validation_steps, validation_freq, callbacks, verbose
    )
    check_replicas(model)
    steps = _steps_of_an_epoch(dataset, steps_per_epoch)
    _check_steps_at_once(model.steps_per_execution, steps, save_every)
    strategy = model.distribute_strategy
    if model._distribute_strategy is not None:
        keras_remedy.apply()
    keras_remedy.build(model, dataset.element_spec)

    state, checkpoints = TrainingState(model), None
    position = {"epoch": 0, "step": 0, "steps": steps}
    position.update(history={}, epochs=[], stopped=False)
    if directory is not None:
        check_apart(dataset, validation_data)
        checkpoints = CheckpointDirectory(directory, keep, writes=_is_first_worker(strategy))
        found = checkpoints.newest()
        if found is not None:
            position, arrays = found
            _check_steps(position["steps"], steps, directory)
            state.write(arrays, directory)
    start = position["epoch"] * steps + position["step"]
    _check_same_start(strategy, start)

    listed = ResumingCallbacks(
        list(callbacks), model, state, position, checkpoints, save_every, epochs, verbose
    )
    if position["stopped"] or position["epoch"] >= epochs:
        return _already_done(model, listed)
    options = {"validation_data": validation_data, "validation_steps": validation_steps}
    options.update(validation_freq=validation_freq, verbose=verbose, shuffle=False)
    with weight_replicas(model):
        _train(model, stream(dataset, start, strategy), listed, steps, epochs, options)
    return listed.past


def _train(model, batches, callbacks, steps, epochs, options):
    """The rest of the epoch that was interrupted, if one was, then the epochs after it."""
    position, first = callbacks.position, callbacks.first_epoch
    if callbacks.first_step:
        left = steps - callbacks.first_step
        callbacks.is_last_call = first + 1 == epochs
        with contextlib.nullcontext() if callbacks.is_last_call else _unfinished(model):
            model.fit(
                batches,
                initial_epoch=first,
                epochs=first + 1,
                steps_per_epoch=left,
                callbacks=callbacks,
                **options,
            )
        first, callbacks.is_last_call = first + 1, True
    if first < epochs and not position["stopped"]:
        model.fit(
            batches,
            initial_epoch=first,
            epochs=epochs,
            steps_per_epoch=steps,
            callbacks=callbacks,
            **options,
        )


def _check(model, dataset, epochs, save_every, keep):
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "kp.training.fit needs Keras on TensorFlow. Received: the backend "
            f"{keras.backend.backend()!r}"
        )
    arguments.whole_number("epochs", epochs)
    arguments.whole_number("keep", keep)
    if save_every is not None:
        arguments.whole_number("save_every", save_every)
    if not isinstance(model, keras.Model) or not model.compiled:
        raise ValueError(f"`model` must be a compiled keras.Model. Received: model={model!r}")
    if not isinstance(dataset, tf.data.Dataset):
        raise ValueError(
            "`dataset` must be a tf.data.Dataset of batches, such as kp.data.from_arrays makes. "
            f"Received: {type(dataset).__name__}"
        )


def _check_options(directory, validation_data, steps, freq, callbacks, verbose):
    if directory is not None and not isinstance(directory, (str, os.PathLike)):
        raise TypeError(f"`directory` must be a path or None. Received: directory={directory!r}")
    arrays = isinstance(validation_data, (tuple, list)) and len(validation_data) in (2, 3)
    arrays = arrays and not any(part is None for part in validation_data)
    datasets = (tf.data.Dataset, tf.distribute.DistributedDataset, keras.utils.PyDataset)
    if validation_data is not None and not arrays and not isinstance(validation_data, datasets):
        raise TypeError(
            "`validation_data` must be a dataset, or a tuple (inputs, targets) or (inputs, "
            "targets, sample_weight). Received: validation_data of type "
            f"{type(validation_data).__name__}"
        )
    arguments.optional_whole_number("validation_steps", steps)
    if not isinstance(freq, (list, tuple, set)):
        arguments.whole_number("validation_freq", freq)
    if not isinstance(callbacks, (list, tuple)) or not all(
        isinstance(callback, keras.callbacks.Callback) for callback in callbacks
    ):
        raise TypeError(
            f"`callbacks` must be a list of Keras callbacks. Received: callbacks={callbacks!r}"
        )
    if not isinstance(verbose, (str, int)) or verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"`verbose` must be 'auto', 0, 1 or 2. Received: verbose={verbose!r}")


def _steps_of_an_epoch(dataset, steps_per_epoch):
    if steps_per_epoch is not None:
        return arguments.whole_number("steps_per_epoch", steps_per_epoch)
    cardinality = int(dataset.cardinality())
    if cardinality < 1:
        kind = {-1: "an endless one", -2: "one of unknown length", 0: "an empty one"}
        raise ValueError(
            "`steps_per_epoch` must be given for a `dataset` that does not say how many batches "
            f"it has. Received: steps_per_epoch=None and {kind[cardinality]}"
        )
    return cardinality


def _check_steps_at_once(at_once, steps, save_every):
    if steps % at_once or (save_every or at_once) % at_once:
        raise ValueError(
            "`steps_per_execution` must divide the steps of an epoch and `save_every`. Received: "
            f"steps_per_execution={at_once}, {steps} steps, save_every={save_every}"
        )


def _check_steps(found, steps, directory):
    if found != steps:
        raise ValueError(
            "`directory` must hold training with epochs of the same length as now, or the place "
            f"in the data would be another. Received: directory={str(directory)!r} with {found} "
            f"steps in an epoch, and now {steps}"
        )


def _is_first_worker(strategy):
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return True
    resolver = strategy.cluster_resolver
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    return resolver.task_type == "chief" or (resolver.task_id == 0 and not has_chief)


def _check_same_start(strategy, start):
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return
    starts = strategy.gather(tf.constant([start]), axis=0).numpy().tolist()
    if len(set(starts)) > 1:
        raise RuntimeError(
            "All workers must start from the same checkpoint, in a `directory` that all of them "
            f"see. Received: workers at the steps {starts}"
        )


def _already_done(model, callbacks):
    callbacks.past.set_model(model)
    callbacks.past.on_train_begin()
    callbacks.past.epoch = list(callbacks.position["epochs"])
    callbacks.past.history = dict(callbacks.position["history"])
    if not callbacks.position["stopped"]:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    return callbacks.past


@contextlib.contextmanager
def _unfinished(model):
    """While this lasts, the end of `model.fit` is not the end of training (moving averages)."""
    finalize = model.optimizer.finalize_variable_values

    def finalize_if_stopped(trainable_variables):
        if model.stop_training:
            finalize(trainable_variables)

    model.optimizer.finalize_variable_values = finalize_if_stopped
    try:
        yield
    finally:
        del model.optimizer.finalize_variable_values
