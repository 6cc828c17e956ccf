"""What crashes or silently differs on several devices, refused before the first step."""

import keras
import tensorflow as tf

_MEANS = ("sum_over_batch_size", "mean", "auto")


def check_replicas(model):
    """Raises ValueError if training `model` on its devices would crash or differ from on one.

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
            "divided over devices. Received: jit_compile=True"
        )
    if model.steps_per_execution > 1:
        raise ValueError(
            f"`steps_per_execution` must be 1 {where}: Keras fails on larger ones. Received: "
            f"steps_per_execution={model.steps_per_execution}"
        )
    _check_optimizer(getattr(model.optimizer, "inner_optimizer", model.optimizer), where)
    _check_losses(model.loss, where)
    for layer in model._flatten_layers():
        batch_norm = isinstance(layer, keras.layers.BatchNormalization)
        if batch_norm and layer.trainable and not layer.synchronized:
            raise ValueError(
                f"Layers of BatchNormalization must have synchronized=True {where}, or each device "
                "normalises its own part of the batch. Set `layer.synchronized = True` (exact as "
                "long as every batch divides evenly), freeze the layer, or use another `stem`. "
                f"Received: {layer.path} with synchronized=False"
            )


def _made_in(strategy, model):
    variables = [weight.value for weight in model.weights]
    return all(strategy.extended.variable_created_in_scope(variable) for variable in variables)


def _check_optimizer(optimizer, where):
    steps = optimizer.gradient_accumulation_steps
    if steps:
        raise ValueError(
            f"`gradient_accumulation_steps` must be None {where}: Keras fails on it. Use a larger "
            f"batch, or one device. Received: gradient_accumulation_steps={steps}"
        )
    for name in ("clipnorm", "global_clipnorm", "clipvalue"):
        value = getattr(optimizer, name)
        if value:
            raise ValueError(
                f"`{name}` must be None {where}: Keras clips the gradient of each device by "
                "itself, before they are added, which is not what it does on one device. "
                f"Received: {name}={value}"
            )


def _check_losses(losses, where):
    for loss in keras.tree.flatten(losses):
        reduction = getattr(loss, "reduction", "sum_over_batch_size")
        if reduction not in _MEANS:
            raise ValueError(
                f"The `reduction` of a loss must be one of {_MEANS} {where}: others do not add up "
                f"to that of the whole batch. Received: {loss.name} with reduction={reduction!r}"
            )
