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
    to the average number per device. If a loss is the mean over sample weights, as that of masked
    tokens is, sums of sample weights take the place of numbers of examples.

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
        # Metrics of the total loss and of the loss of each output.
        for metric in model.metrics:
            name = metric.name
            a_loss = type(metric) is keras.metrics.Mean and (name == "loss" or name[-5:] == "_loss")
            if a_loss and metric not in weighted_metrics:
                metric.update_state = weighted_update(metric.update_state)
                weighted_metrics.append(metric)

    def weighted_update(update):
        def run(values, sample_weight=None):
            # Keras passes the number of examples, if it knows it, as `sample_weight`.
            if sample_weight is None:
                return update(weighted(values))
            return update(values, getattr(replica, "examples", sample_weight))

        return run

    def weighted_step(step):
        def run(data):
            weight_metrics()
            examples = tf.cast(tf.shape(keras.tree.flatten(data)[0])[0], "float32")
            size = _sum_of_weights(model, data)
            size = examples if size is None else size
            all_examples, total = tf.distribute.get_replica_context().all_reduce(
                "SUM", [examples, size]
            )
            share = tf.math.divide_no_nan(size, total)
            replica.ratio, replica.examples = share * count, share * all_examples
            try:
                return step(data)
            finally:
                del replica.ratio, replica.examples

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


def _sum_of_weights(model, data):
    """The sum of sample weights, if the loss is a mean over them; None if over examples."""
    losses = keras.tree.flatten(model.loss)
    means = [getattr(loss, "reduction", None) == "mean_with_sample_weight" for loss in losses]
    weights = keras.utils.unpack_x_y_sample_weight(data)[2]
    if weights is None or not any(means):
        return None
    if len(losses) > 1:
        raise ValueError(
            "`sample_weight` must not be given on several devices for a model with several "
            "outputs if the loss of one is the mean over sample weights "
            "(reduction='mean_with_sample_weight', as that of kp.Tokens); use another reduction, "
            "or one device"
        )
    return tf.reduce_sum(tf.cast(keras.tree.flatten(weights)[0], "float32"))
