"""Refuses, before the first step, settings that crash or silently differ on several devices."""

import keras
import tensorflow as tf

_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "auto")


def check_replicas(model):
    """Raises ValueError if training on the model's devices would crash or differ from one device.

    Args:
        model: A compiled `keras.Model`.
    """
    current, own = tf.distribute.get_strategy(), model.distribute_strategy
    if tf.distribute.has_strategy() and (current is not own or not _made_in(current, model)):
        raise ValueError(
            "`model` must be built within `strategy.scope()` of the strategy it is trained with. "
            "Received: a model built outside of it"
        )
    count = own.num_replicas_in_sync
    if count == 1:
        return
    where = f"on {count} devices"
    if model.jit_compile:
        raise ValueError(
            f"`jit_compile` must be False or 'auto' {where}: XLA cannot compile steps that are "
            "split across devices. Received: jit_compile=True"
        )
    if model.steps_per_execution > 1:
        raise ValueError(
            f"`steps_per_execution` must be 1 {where}: Keras fails with larger values. Received: "
            f"steps_per_execution={model.steps_per_execution}"
        )
    _check_optimizer(getattr(model.optimizer, "inner_optimizer", model.optimizer), where)
    _check_losses(model.loss, where)
    for layer in model._flatten_layers():
        batch_norm = isinstance(layer, keras.layers.BatchNormalization)
        if batch_norm and layer.trainable and not layer.synchronized:
            raise ValueError(
                f"BatchNormalization layers must have synchronized=True {where}; otherwise each "
                "device normalises its own part of the batch. Set `layer.synchronized = True` "
                "(exact if every batch divides evenly), freeze the layer, or use another `stem`. "
                f"Received: {layer.path} with synchronized=False"
            )


def _made_in(strategy, model):
    variables = [weight.value for weight in model.weights]
    return all(strategy.extended.variable_created_in_scope(variable) for variable in variables)


def _check_optimizer(optimizer, where):
    steps = optimizer.gradient_accumulation_steps
    if steps:
        raise ValueError(
            f"`gradient_accumulation_steps` must be None {where}: Keras fails with it. Use a "
            f"larger batch, or one device. Received: gradient_accumulation_steps={steps}"
        )
    if getattr(optimizer, "clips_all_devices_together", False):
        return
    for name in ("clipnorm", "global_clipnorm", "clipvalue"):
        value = getattr(optimizer, name)
        if value:
            raise ValueError(
                f"`{name}` must be None {where}: Keras clips the gradient of each device before "
                "it adds them, which differs from clipping on one device. kp.training.Lamb clips "
                "as one device does. Received: "
                f"{name}={value}"
            )


def _check_losses(losses, where):
    for loss in keras.tree.flatten(losses):
        reduction = getattr(loss, "reduction", "sum_over_batch_size")
        if reduction not in _MEANS:
            raise ValueError(
                f"The `reduction` of a loss must be one of {_MEANS} {where}: with others, the "
                "losses of the devices do not combine to that of the whole batch. Received: "
                f"{loss.name} with reduction={reduction!r}"
            )
