"""The batches of all epochs as one stream that can start at any batch."""

import tensorflow as tf


def stream(dataset, start, strategy):
    """All epochs one after the other, from batch `start` on, divided among the devices.

    Every batch, including the last of an epoch, is divided according to its own size, and all
    devices always get parts of the same batch. (`tf.distribute` itself may divide a repeated
    dataset across the borders of epochs.)

    Args:
        dataset: A `tf.data.Dataset` of batches, one epoch of them.
        start: Number of batches to skip. They are computed and discarded, so that the pipeline's
            random numbers continue as in an uninterrupted run.
        strategy: The `tf.distribute.Strategy` of the model.

    Returns:
        An infinite dataset for `model.fit` with `steps_per_epoch`. All its iterators share one
        position: each `iter` continues after the batches that were already taken.
    """
    batches = dataset.repeat().skip(start)
    num_replicas = strategy.num_replicas_in_sync
    if num_replicas == 1:
        return _iterated_once(batches)

    def local_parts(context):
        per_worker = num_replicas // context.num_input_pipelines
        first = context.input_pipeline_id * per_worker
        return _parts(batches, num_replicas, first, per_worker)

    return _iterated_once(strategy.distribute_datasets_from_function(local_parts))


def _parts(batches, num_replicas, first, per_worker):
    """Of each batch, parts `first` to `first + per_worker` - 1 of `num_replicas` even parts."""
    is_tuple = isinstance(batches.element_spec, tuple)

    def parts_of_batch(*batch):
        batch = batch if is_tuple else batch[0]
        size = tf.shape(tf.nest.flatten(batch)[0], out_type=tf.int64)[0]

        def part(index):
            begin, end = index * size // num_replicas, (index + 1) * size // num_replicas
            return tf.nest.map_structure(lambda tensor: tensor[begin:end], batch)

        return tf.data.Dataset.range(first, first + per_worker).map(part)

    return batches.flat_map(parts_of_batch).prefetch(2 * per_worker)


def _iterated_once(dataset):
    iterator = iter(dataset)
    # `iter` needs `__iter__` on the class, and Keras checks the names of the base classes.
    kind = type(dataset)
    dataset.__class__ = type(kind.__name__, (kind,), {"__iter__": lambda self: iterator})
    return dataset
