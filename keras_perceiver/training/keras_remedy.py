"""Fixes two bugs of Keras' TensorFlow trainer under `tf.distribute`.

With `MultiWorkerMirroredStrategy`, `fit` and `evaluate` of Keras 3.9 to 3.15 fail (Keras issues
20585 and 20329), in two places:

- `_maybe_symbolic_build` takes the mean over devices of a whole batch, a tuple, only to get its
  shapes. With any strategy it also consumes that batch, so that training on shuffled data starts
  with the order of the second epoch. Here the shapes are taken from the dataset.
- `reduce_per_replica` takes the mean of scalars along an axis that they do not have. Here they
  are averaged over devices.

Nothing else in Keras is changed, and unknown versions are refused.
"""

import functools

import keras
import tensorflow as tf

_AFFECTED = ((3, 9), (3, 15))  # first and last version; both functions are the same in all of them


def apply():
    """Patches the trainer in this process, once.

    Raises:
        RuntimeError: if this version of Keras is not known.
    """
    _check_version(keras.__version__)
    from keras.src.backend.tensorflow import trainer

    if not hasattr(trainer.TensorFlowTrainer._maybe_symbolic_build, "__wrapped__"):
        build, reduce = trainer.TensorFlowTrainer._maybe_symbolic_build, trainer.reduce_per_replica
        trainer.TensorFlowTrainer._maybe_symbolic_build = _build_from_shapes(build)
        trainer.reduce_per_replica = _mean_of_scalars(reduce)


def build(model, element_spec):
    """Creates the variables of a compiled model's optimizer, losses and metrics, without data.

    Args:
        model: A compiled `keras.Model`.
        element_spec: The `element_spec` of a dataset of batches.
    """
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=_of_one_device(element_spec))


def _check_version(version):
    first, last = _AFFECTED
    if not first <= tuple(int(part) for part in version.split(".")[:2]) <= last:
        raise RuntimeError(
            "Training on several devices fixes two bugs in the trainer of Keras "
            f"{'.'.join(map(str, first))} to {'.'.join(map(str, last))} (Keras issues 20585 and "
            "20329), and other versions have not been checked for them. Install one of these "
            f"versions, or a later keras-perceiver. Received: Keras {version}"
        )


def _build_from_shapes(original):
    @functools.wraps(original)
    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        if iterator is not None and self._distribute_strategy is not None:
            data_batch = _of_one_device(iterator._distributed_dataset.element_spec)
            iterator = None
        return original(self, iterator=iterator, data_batch=data_batch)

    return _maybe_symbolic_build


def _mean_of_scalars(original):
    @functools.wraps(original)
    def reduce_per_replica(values, strategy, reduction):
        several_workers = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        if not several_workers or reduction not in ("auto", "mean"):
            return original(values, strategy, reduction)
        return keras.tree.map_structure(
            lambda value: strategy.reduce("MEAN", value, axis=None), values
        )

    return reduce_per_replica


def _of_one_device(element_spec):
    """The spec of the first device's part of a batch."""
    return keras.tree.map_structure(
        lambda spec: tf.nest.flatten(spec, expand_composites=True)[0], element_spec
    )
