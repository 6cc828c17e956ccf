"""Rebuilds a model for inputs of any size, or with other arguments."""

import keras

from keras_perceiver.models.descriptions import as_given
from keras_perceiver.models.perceiver import Perceiver


def rebuilt(model, open_sizes=False, **changes):
    """The model built again with the same weights, or None if its weights do not fit.

    The weights do not fit after `enable_lora` or `quantize`, which replace variables.

    Args:
        model: A `Perceiver`.
        open_sizes: Whether to leave input sizes open if no weight and no output shape depends on
            them.
        **changes: Arguments of `Perceiver` to change.
    """
    config = model.get_config()
    config.pop("trainable")
    for key in ("inputs", "outputs", "dtype", "activation"):
        config[key] = keras.saving.deserialize_keras_object(config[key])
    if open_sizes:
        shaping = {output.shaped_by for output in model.output_descriptions.values()}
        inputs = {
            key: one if key in shaping and one.grid is not None else one.opened()
            for key, one in model.input_descriptions.items()
        }
        outputs = {key: output.opened() for key, output in model.output_descriptions.items()}
        config["inputs"] = as_given(config["inputs"], inputs)
        config["outputs"] = as_given(config["outputs"], outputs)
    copy = Perceiver(**{**config, **changes})
    if _weights(copy) != _weights(model):
        return None
    copy.set_weights(model.get_weights())
    return copy


def _weights(model):
    return [(weight.path, tuple(weight.shape), weight.dtype) for weight in model.weights]
