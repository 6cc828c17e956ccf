"""`model.fit` that can be resumed and gives the same result on several devices as on one."""

import contextlib
import os

import keras
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.models.adapting import adapt_before_fit
from keras_perceiver.models.perceiver import Perceiver
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
    """Trains a compiled model, and resumes from the last checkpoint if it was interrupted.

    Run the same script again after a kill, a crash or a power cut: the model, the optimizer, the
    random seeds, the metrics, the epoch, the step and the position in the data are restored from
    the last checkpoint, and the final weights equal those of an uninterrupted run. This requires
    that the script makes the same model and the same pipeline again (give it a `seed`). The state
    of callbacks is not restored, except that of `LossSpikeGuard`: `EarlyStopping`, for example,
    starts counting from zero again.

    On several devices (see `kp.training.strategy`) the result is the same as on one device: every
    batch is divided as evenly as possible, and the loss of each device is weighted by its number of
    examples. Settings that would crash or silently differ are refused before the first step. With
    `MultiWorkerMirroredStrategy`, all workers get the same `dataset`: all examples in the same
    order, in global batches; each worker takes its part. All workers must be able to access
    `directory`.

    Args:
        model: A compiled Keras model.
        dataset: One epoch of batches `(inputs, targets)` or `(inputs, targets, weights)`.
        epochs: Number of epochs, including those before an interruption.
        directory: Directory of the checkpoints. Default: no checkpoints.
        save_every: Steps between checkpoints. Default: only at the end of each epoch.
        keep: Number of checkpoints to keep, in case the newest is damaged.
        steps_per_epoch: Batches in an epoch. Default: the cardinality of `dataset`.
        validation_data, validation_steps, validation_freq, verbose: As in `model.fit`.
        callbacks: A list of Keras callbacks.

    Returns:
        The `History` of all epochs, including those before an interruption.

    Raises:
        ValueError: if the cardinality of `dataset` is not known and `steps_per_epoch` is not given;
            if `directory` cannot be written to, or holds the training of another model or epochs of
            another length; if the model is compiled with settings that do not work on several
            devices.
        RuntimeError: if Keras is not running on TensorFlow, or workers start from different
            checkpoints; on several devices, if this version of Keras is not known.

    If a checkpoint cannot be written (a full disk) or read (a truncated file), a warning names it,
    and training continues, or resumes from the last good checkpoint. To restore the position in the
    data, the earlier batches are read again and discarded. Inputs with `normalize=True` are
    measured first, which reads up to 100 batches. After that, shuffled epochs have the orders of
    `dataset.repeat()`; plain `model.fit` uses every second of these orders.

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

    if isinstance(model, Perceiver):
        # Also when training resumes, since reading a shuffled pipeline changes its later orders.
        adapt_before_fit(model, dataset)
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
    return listed.full_history


def _train(model, batches, callbacks, steps, epochs, options):
    """Trains the rest of an interrupted epoch, if there is one, and then the epochs after it."""
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
            "`steps_per_epoch` must be given for a `dataset` without a known number of batches. "
            f"Received: steps_per_epoch=None and {kind[cardinality]}"
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
            "`directory` must hold training with epochs of the same length as now, since the "
            "position in the data depends on it. Received: "
            f"directory={str(directory)!r} with {found} steps in an epoch, and now {steps}"
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
            f"can access. Received: workers at the steps {starts}"
        )


def _already_done(model, callbacks):
    callbacks.full_history.set_model(model)
    callbacks.full_history.on_train_begin()
    callbacks.full_history.epoch = list(callbacks.position["epochs"])
    callbacks.full_history.history = dict(callbacks.position["history"])
    if not callbacks.position["stopped"]:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    return callbacks.full_history


@contextlib.contextmanager
def _unfinished(model):
    """In this context, the end of `model.fit` does not overwrite weights with moving averages."""
    finalize = model.optimizer.finalize_variable_values

    def finalize_if_stopped(trainable_variables):
        if model.stop_training:
            finalize(trainable_variables)

    model.optimizer.finalize_variable_values = finalize_if_stopped
    try:
        yield
    finally:
        del model.optimizer.finalize_variable_values
