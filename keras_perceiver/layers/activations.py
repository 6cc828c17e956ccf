"""Two GELUs: DeepMind's code uses the tanh approximation, Hugging Face's port the exact GELU."""

import math

import keras
from keras import ops

SLOPE, CUBIC = (2.0 / math.pi) ** 0.5, 0.044715  # of the approximation


@keras.saving.register_keras_serializable(package="keras_perceiver")
def gelu_tanh(x):
    """GELU by the tanh approximation, as in DeepMind's code and checkpoints."""
    return _gelu_tanh(x)


@ops.custom_gradient
def _gelu_tanh(x):
    # Automatic differentiation would keep six arrays of the size of x for the backward pass.
    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        squared = ops.square(x)
        tanh = ops.tanh(SLOPE * x * (1.0 + CUBIC * squared))
        inner = SLOPE * (1.0 + 3.0 * CUBIC * squared)
        return upstream * 0.5 * (1.0 + tanh + x * (1.0 - ops.square(tanh)) * inner)

    return ops.gelu(x, approximate=True), gradient


@keras.saving.register_keras_serializable(package="keras_perceiver")
def gelu_erf(x):
    """Exact GELU, as in Hugging Face's port."""
    # Written out, because ONNX converters do not support the fused exact GELU.
    return 0.5 * x * (1.0 + ops.erf(x / 2.0**0.5))


_BY_NAME = {"gelu_tanh": gelu_tanh, "gelu_erf": gelu_erf}


def get_activation(identifier):
    """Returns the function for "gelu_tanh", "gelu_erf" or any Keras activation."""
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    try:
        return keras.activations.get(identifier)
    except ValueError as error:
        raise ValueError(
            "`activation` must be 'gelu_tanh', 'gelu_erf', the name of a Keras activation or a "
            f"function. Received: activation={identifier!r}"
        ) from error


def serialize_activation(function):
    """The inverse of `get_activation`, for `get_config`."""
    for name, known in _BY_NAME.items():
        if function is known:
            return name
    return keras.activations.serialize(function)
