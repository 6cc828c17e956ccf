"""Compiles the models of the builders, with default losses, metrics and optimizer."""

import keras

from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.layers.steps import on_cpu
from keras_perceiver.models.averaged_adamw import AveragedAdamW
from keras_perceiver.models.compile_checks import check_names
from keras_perceiver.models.descriptions import as_given


def compile_model(
    model,
    optimizer,
    learning_rate,
    weight_decay,
    loss,
    loss_weights,
    metrics,
    weighted_metrics,
    jit_compile,
):
    """Compiles with the default loss and metrics of each output unless others are given.

    Default metrics are weighted by the sample weights of `fit`, if there are any: the accuracy of
    a masked language model is that at hidden tokens.
    """
    if optimizer is None:
        local = model.sizes.initialization == "local"
        make = AveragedAdamW if local else keras.optimizers.AdamW
        optimizer = make(learning_rate, weight_decay=weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    elif isinstance(optimizer, (str, dict)):
        optimizer = keras.optimizers.get(optimizer)
    outputs = model.output_descriptions
    check_names(
        outputs,
        loss=loss,
        loss_weights=loss_weights,
        metrics=metrics,
        weighted_metrics=weighted_metrics,
    )
    if loss is None:
        loss = as_given(model.output, {key: o.default_loss() for key, o in outputs.items()})
    if metrics is None and weighted_metrics is None:
        weighted_metrics = as_given(model.output, {key: o.metrics() for key, o in outputs.items()})
    if jit_compile == "auto" and on_cpu() and not _gains_from_xla_on_cpu(model):
        jit_compile = False
    model.compile(
        optimizer=optimizer,
        loss=loss,
        loss_weights=loss_weights,
        metrics=metrics,
        weighted_metrics=weighted_metrics,
        jit_compile=jit_compile,
    )
    return model


def _gains_from_xla_on_cpu(model):
    """Whether XLA makes this model faster on a CPU.

    It does for many small operations. Large matrix products and loops that stay in the cache do not
    gain, and bfloat16 products are twice as fast without XLA.
    """
    cross_attention = model.encoder.get_layer("encoder_cross_attention")
    half = cross_attention.compute_dtype == "bfloat16"
    return not half and not isinstance(cross_attention, SeparableCrossAttention)
