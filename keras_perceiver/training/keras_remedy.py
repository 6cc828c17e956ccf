"""Two faults of Keras' TensorFlow trainer under `tf.distribute`, put right.

With `MultiWorkerMirroredStrategy`, `fit` and `evaluate` of Keras 3.9 to 3.15 fail (Keras issues
20585 and 20329), in two places:

- `_maybe_symbolic_build` takes the mean over devices of a whole batch, a tuple, only to learn its
  shapes. With any strategy it also takes that batch away from the iterator, so that shuffled data
  come in the order of the second epoch first. Here the shapes are read off the dataset.
- `reduce_per_replica` takes the mean of scalars along an axis that they do not have. Here they
  are averaged over devices.

Nothing else of Keras is touched, and a version that is not known is refused.
"""

import functools

import keras
import tensorflow as tf

_AFFECTED = ((3, 9), (3, 15))  # first and last; these two functions are the same in all of them


def apply():
    """Mends the trainer of this process, once.

    Raises:
        RuntimeError: if this version of Keras is not one that was looked at.
    """
    _check_version(keras.__version__)
    from keras.src.backend.tensorflow import trainer

    if not hasattr(trainer.TensorFlowTrainer._maybe_symbolic_build, "__wrapped__"):
        build, reduce = trainer.TensorFlowTrainer._maybe_symbolic_build, trainer.reduce_per_replica
        trainer.TensorFlowTrainer._maybe_symbolic_build = _build_from_shapes(build)
        trainer.reduce_per_replica = _mean_of_scalars(reduce)


def build(model, element_spec):
    """Makes the variables of optimizer, losses and metrics of a compiled model, without data.

    Args:
        model: A compiled `keras.Model`.
        element_spec: That of a dataset of its batches.
    """
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=_of_one_device(element_spec))


def _check_version(version):
    first, last = _AFFECTED
    if not first <= tuple(int(part) for part in version.split(".")[:2]) <= last:
        raise RuntimeError(
            "Training on several devices mends two faults in the trainer of Keras "
            f"{'.'.join(map(str, first))} to {'.'.join(map(str, last))} (Keras issues 20585 and "
            "20329), and nobody has looked whether they are there in another version. Install one "
            f"of these, or a later keras-perceiver. Received: Keras {version}"
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
    """The spec of the first device's part."""
    return keras.tree.map_structure(
        lambda spec: tf.nest.flatten(spec, expand_composites=True)[0], element_spec
    )
