"""Normalises the arguments `inputs` and `outputs` and binds the descriptions to a model."""

from keras_perceiver.inputs.array import Array
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.models.names import check_output_names, check_word
from keras_perceiver.outputs.output import Output

_WANTED_INPUT = (
    "an input description such as kp.Array((28, 28, 1)), a shape such as (28, 28, 1), or a dict "
    "of these by name"
)
_WANTED_OUTPUT = "an output description such as kp.Classes(10), or a dict of these by name"


def as_inputs(inputs, dtype=None):
    """A dict of input layers bound to a model, in the order of their sorted names."""
    if not isinstance(inputs, dict):
        described = _as_input("inputs", inputs)
        inputs = {described.kind: described}
    _check_words("inputs", inputs, _WANTED_INPUT)
    return {
        key: _as_input(f"inputs[{key!r}]", inputs[key]).bound(key, dtype) for key in sorted(inputs)
    }


def as_outputs(outputs, inputs, latent_dim):
    """A dict of output descriptions bound to a model with these `inputs`, sorted by name."""
    if isinstance(outputs, Output):
        outputs = {outputs.kind: outputs}
    elif not isinstance(outputs, dict):
        raise ValueError(f"`outputs` must be {_WANTED_OUTPUT}. Received: outputs={outputs!r}")
    _check_words("outputs", outputs, _WANTED_OUTPUT)
    for key, output in outputs.items():
        if not isinstance(output, Output):
            raise ValueError(
                f"`outputs[{key!r}]` must be an output description such as kp.Classes(10). "
                f"Received: {output!r}"
            )
    check_output_names(outputs)
    return {key: outputs[key].bound(key, inputs, latent_dim) for key in sorted(outputs)}


def as_given(given, tensors):
    """A single tensor if a single description was given, otherwise the dict of tensors."""
    if isinstance(given, dict) or len(tensors) > 1:
        return dict(tensors)
    return next(iter(tensors.values()))


def _as_input(name, value):
    if isinstance(value, PerceiverInput):
        return value
    if isinstance(value, (tuple, list)):
        return Array(tuple(value))
    raise ValueError(f"`{name}` must be {_WANTED_INPUT}. Received: {name}={value!r}")


def _check_words(argument, descriptions, wanted):
    if not descriptions:
        raise ValueError(f"`{argument}` must be {wanted}. Received: {argument}={{}}")
    for key in descriptions:
        check_word(f"The names in `{argument}`", key)
