"""What users write for `inputs=` and `outputs=`, made uniform."""

from keras_perceiver.inputs.array import Array
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.outputs.output import Output

_WANTED_INPUT = (
    "an input description such as kp.Array((28, 28, 1)), a shape such as (28, 28, 1), or a dict "
    "of these by name"
)
_WANTED_OUTPUT = "an output description such as kp.Classes(10), or a dict of these by name"


def as_inputs(inputs, dtype=None):
    """A dict of fresh input layers, in the order of their sorted names."""
    if not isinstance(inputs, dict):
        layer = _as_input("inputs", inputs)
        inputs = {layer.kind: layer}
    _check_names("inputs", inputs, _WANTED_INPUT)
    return {
        key: _as_input(f"inputs[{key!r}]", inputs[key]).copy(name=f"{key}_inputs", dtype=dtype)
        for key in sorted(inputs)
    }


def as_outputs(outputs, readers):
    """A dict of output descriptions, in the order of their sorted names."""
    if isinstance(outputs, Output):
        outputs = {outputs.kind: outputs}
    elif not isinstance(outputs, dict):
        raise ValueError(f"`outputs` must be {_WANTED_OUTPUT}. Received: outputs={outputs!r}")
    _check_names("outputs", outputs, _WANTED_OUTPUT)
    for key, output in outputs.items():
        if not isinstance(output, Output):
            raise ValueError(
                f"`outputs[{key!r}]` must be an output description such as kp.Classes(10). "
                f"Received: {output!r}"
            )
        output.check(key, readers)
    return {key: outputs[key] for key in sorted(outputs)}


def like(given, tensors):
    """One tensor where one description was given, otherwise the dict of tensors."""
    if isinstance(given, dict) or len(tensors) > 1:
        return dict(tensors)
    return next(iter(tensors.values()))


def _as_input(name, value):
    if isinstance(value, PerceiverInput):
        return value
    if isinstance(value, (tuple, list)):
        return Array(tuple(value))
    raise ValueError(f"`{name}` must be {_WANTED_INPUT}. Received: {name}={value!r}")


def _check_names(argument, descriptions, wanted):
    if not descriptions:
        raise ValueError(f"`{argument}` must be {wanted}. Received: {argument}={{}}")
    for key in descriptions:
        if not isinstance(key, str) or not key.isidentifier():
            raise ValueError(
                f"The names in `{argument}` must be words of letters, digits and underscores. "
                f"Received: {key!r}"
            )
        if key in ("latents", "indices"):
            raise ValueError(
                f"The names 'latents' and 'indices' have a meaning of their own. Received: {key!r} "
                f"in `{argument}`"
            )
