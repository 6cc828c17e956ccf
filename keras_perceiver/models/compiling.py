"""Builders return compiled models: the defaults, and how to replace them."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.layers.steps import on_cpu


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
    if jit_compile == "auto" and on_cpu() and not _gains_from_xla_on_cpu(model):
        jit_compile = False
    model.compile(
        optimizer=optimizer,
        loss=loss,
        loss_weights=loss_weights,
        metrics=metrics,
        jit_compile=jit_compile,
    )
    return model


def _gains_from_xla_on_cpu(model):
    """Many small operations gain. Large products and passes that stay in the cache do not, and
    bfloat16 products are twice as fast without."""
    cross_attention = model.encoder.get_layer("encoder_cross_attention")
    half = cross_attention.compute_dtype == "bfloat16"
    return not half and not isinstance(cross_attention, SeparableCrossAttention)
