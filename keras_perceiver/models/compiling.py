"""Compiles the models of the builders, with default losses, metrics and optimizer."""

import keras

from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.layers.steps import on_cpu
from keras_perceiver.models.averaged_adamw import AveragedAdamW
from keras_perceiver.models.compile_checks import check_names
from keras_perceiver.models.descriptions import as_given


def compile_model(model, given):
    """Compiles with the default loss and metrics of each output unless `given` has others.

    Default metrics are weighted by the sample weights of `fit`, if there are any: the accuracy of
    a masked language model is that at hidden tokens.

    Args:
        model: A `Perceiver`.
        given: `CompileArguments`.
    """
    settings = given._asdict()
    learning_rate, weight_decay = settings.pop("learning_rate"), settings.pop("weight_decay")
    if given.optimizer is None:
        local = model.sizes.initialization == "local"
        make = AveragedAdamW if local else keras.optimizers.AdamW
        settings["optimizer"] = make(learning_rate, weight_decay=weight_decay)
        settings["optimizer"].exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    elif isinstance(given.optimizer, (str, dict)):
        settings["optimizer"] = keras.optimizers.get(given.optimizer)
    outputs = model.output_descriptions
    named = ("loss", "loss_weights", "metrics", "weighted_metrics")
    check_names(outputs, **{name: settings[name] for name in named})
    if given.loss is None:
        losses = {key: one.default_loss() for key, one in outputs.items()}
        settings["loss"] = as_given(model.output, losses)
    if given.metrics is None and given.weighted_metrics is None:
        metrics = {key: one.metrics() for key, one in outputs.items()}
        settings["weighted_metrics"] = as_given(model.output, metrics)
    if given.jit_compile == "auto" and on_cpu() and not _gains_from_xla_on_cpu(model):
        settings["jit_compile"] = False
    model.compile(**settings)
    return model


def _gains_from_xla_on_cpu(model):
    """Whether XLA makes this model faster on a CPU.

    It does for many small operations. Large matrix products and loops that stay in the cache do not
    gain, and bfloat16 products are twice as fast without XLA.
    """
    cross_attention = model.encoder.get_layer("encoder_cross_attention")
    half = cross_attention.compute_dtype == "bfloat16"
    return not half and not isinstance(cross_attention, SeparableCrossAttention)
