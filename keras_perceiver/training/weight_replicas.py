"""The loss of each device weighted by its share of the batch."""

import contextlib
import threading

import keras
import tensorflow as tf


@contextlib.contextmanager
def weight_replicas(model):
    """While this lasts, `model` trains as on one device even where a batch divides unevenly.

    Keras takes the mean over the examples of each device, then the mean over devices: with 5
    examples on 2 devices, the 2 of the smaller part weigh more than the 3 of the larger. Here each
    device's loss is multiplied by the ratio of its part to an even part.

    Args:
        model: A compiled `keras.Model`, on one device or several.
    """
    count = model.distribute_strategy.num_replicas_in_sync
    if count == 1:
        yield
        return
    here = threading.local()  # each device is traced in a thread of its own
    scale_loss = model.optimizer.scale_loss
    steps = {"train_step": model.train_step, "test_step": model.test_step}
    weighted_metrics = []

    def weighted(value):
        ratio = getattr(here, "ratio", None)
        return value if ratio is None else value * tf.cast(ratio, value.dtype)

    def weight_metrics():
        # The loss of one of several outputs. Keras weights the loss of all of them itself.
        for metric in model.metrics:
            one_loss = type(metric) is keras.metrics.Mean and metric.name.endswith("_loss")
            if one_loss and metric not in weighted_metrics:
                metric.update_state = weighted_update(metric.update_state)
                weighted_metrics.append(metric)

    def weighted_update(update):
        def run(values, sample_weight=None):
            # Where Keras knows the size of the part, it has put it into the weight.
            return update(weighted(values) if sample_weight is None else values, sample_weight)

        return run

    def weighted_step(step):
        def run(data):
            weight_metrics()
            size = tf.cast(tf.shape(keras.tree.flatten(data)[0])[0], "float32")
            total = tf.distribute.get_replica_context().all_reduce("SUM", size)
            here.ratio = size * count / total
            try:
                return step(data)
            finally:
                here.ratio = None

        return run

    functions = ("train_function", "test_function")
    try:
        model.optimizer.scale_loss = lambda loss: scale_loss(weighted(loss))
        for name, step in steps.items():
            setattr(model, name, weighted_step(step))
        for name in functions:
            setattr(model, name, None)  # to be traced again
        yield
    finally:
        del model.optimizer.scale_loss
        for name in steps:
            delattr(model, name)
        for name in functions:
            setattr(model, name, None)
        for metric in weighted_metrics:
            del metric.update_state
