"""Builders return compiled models: the defaults, and how to replace them."""

import keras

from keras_perceiver import arguments


def compile_model(
    model, outputs, optimizer, learning_rate, loss, metrics, jit_compile, loss_weights=None
):
    """Compiles with each output's own loss and metrics unless others are given."""
    if optimizer is None:
        rate = learning_rate
        if isinstance(rate, (int, float)):
            rate = arguments.number("learning_rate", rate, above=0)
        optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-2)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    elif isinstance(optimizer, str):
        optimizer = keras.optimizers.get(optimizer)
    if isinstance(outputs, dict):
        loss = {k: o.default_loss() for k, o in outputs.items()} if loss is None else loss
        metrics = {k: o.metrics() for k, o in outputs.items()} if metrics is None else metrics
    else:
        loss = outputs.default_loss() if loss is None else loss
        metrics = outputs.metrics() if metrics is None else metrics
    model.compile(
        optimizer=optimizer,
        loss=loss,
        loss_weights=loss_weights,
        metrics=metrics,
        jit_compile=jit_compile,
    )
    return model
