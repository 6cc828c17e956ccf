"""The loss of each device weighted by its share of the batch."""

import contextlib
import threading

import keras
import tensorflow as tf


@contextlib.contextmanager
def weight_replicas(model):
    """In this context, `model` trains as on one device even if a batch divides unevenly.

    Keras takes the mean over the examples of each device, then the mean over devices. With 5
    examples on 2 devices, each example of the smaller part gets a larger weight than each of the
    larger part. Here, the loss of each device is multiplied by the ratio of its number of examples
    to the average number per device.

    Args:
        model: A compiled `keras.Model`, on one device or several.
    """
    count = model.distribute_strategy.num_replicas_in_sync
    if count == 1:
        yield
        return
    replica = threading.local()  # each device is traced in its own thread
    scale_loss = model.optimizer.scale_loss
    steps = {"train_step": model.train_step, "test_step": model.test_step}
    weighted_metrics = []

    def weighted(value):
        ratio = getattr(replica, "ratio", None)
        return value if ratio is None else value * tf.cast(ratio, value.dtype)

    def weight_metrics():
        # Metrics of the loss of one output. Keras weights the metric of the total loss itself.
        for metric in model.metrics:
            one_loss = type(metric) is keras.metrics.Mean and metric.name.endswith("_loss")
            if one_loss and metric not in weighted_metrics:
                metric.update_state = weighted_update(metric.update_state)
                weighted_metrics.append(metric)

    def weighted_update(update):
        def run(values, sample_weight=None):
            # If Keras knows the number of examples, it already passes it as `sample_weight`.
            return update(weighted(values) if sample_weight is None else values, sample_weight)

        return run

    def weighted_step(step):
        def run(data):
            weight_metrics()
            size = tf.cast(tf.shape(keras.tree.flatten(data)[0])[0], "float32")
            total = tf.distribute.get_replica_context().all_reduce("SUM", size)
            replica.ratio = size * count / total
            try:
                return step(data)
            finally:
                replica.ratio = None

        return run

    functions = ("train_function", "test_function")
    try:
        model.optimizer.scale_loss = lambda loss: scale_loss(weighted(loss))
        for name, step in steps.items():
            setattr(model, name, weighted_step(step))
        for name in functions:
            setattr(model, name, None)  # so that they are traced again
        yield
    finally:
        del model.optimizer.scale_loss
        for name in steps:
            delattr(model, name)
        for name in functions:
            setattr(model, name, None)
        for metric in weighted_metrics:
            del metric.update_state
