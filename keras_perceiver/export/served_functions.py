"""The functions of a served model, one for each signature."""

import tensorflow as tf

from keras_perceiver.export import byte_limits
from keras_perceiver.export.request_checks import RequestChecks, check_same_batch
from keras_perceiver.export.request_limits import request_checks


class ServedFunctions:
    """A model's functions from named tensors to named tensors, as SavedModel signatures.

    Args:
        model: The `Perceiver` to serve.
        described: The model as it was built, whose sizes limit requests.
        preparations: {name of an input: function from strings `(batch,)` to its tensor}.
        max_batch, max_growth, max_bytes, max_pixels: See `saved_model`.
        own_preparations: Names of inputs whose bytes a user's function decodes; their format is
            not checked.

    Attributes:
        module: A `tf.Module` that holds the weights.
        signatures: {name: concrete function}.
        checks: {name of a tensor: RequestChecks}.
    """

    def __init__(
        self,
        model,
        described,
        preparations,
        max_batch,
        max_growth,
        max_bytes,
        max_pixels,
        own_preparations=(),
    ):
        # Only the variables: a SavedModel that contains a Keras model needs Keras to be loaded.
        self.module = tf.Module(name="served")
        self.module.weights = [weight.value for weight in model.weights]
        names = sorted(described.output_descriptions)
        parts = {
            "serving_default": (model, names, {}),
            "encode": (model.encoder, ["latents"], {}),
            "decode": (model.decoder, names, {}),
        }
        if preparations:
            parts["serve_bytes"] = (model, names, preparations)
        kinds = {
            key: None if key in own_preparations else one.bytes_format
            for key, one in described.input_descriptions.items()
        }

        def checked_bytes(name, encoded):
            limits = (max_bytes, max_pixels)
            return byte_limits.checked_bytes(name, kinds[name], encoded, *limits)

        specs = {t.name: t for part, _, _ in parts.values() for t in part.inputs}
        self.checks = request_checks(specs, described, max_batch, max_growth)
        self.signatures = {
            name: _function(*part, self.checks, max_batch, checked_bytes)
            for name, part in parts.items()
        }


def _function(part, output_names, preparations, checks, max_batch, checked_bytes):
    """A traced function of a functional model with its inputs and outputs by name."""
    byte_checks = {name: RequestChecks(name, (None,), (max_batch,)) for name in preparations}
    all_checks = {tensor.name: checks[tensor.name] for tensor in part.inputs} | byte_checks
    specs = {
        name: tf.TensorSpec(check.shape, check.dtype, name=name)
        for name, check in all_checks.items()
    }

    @tf.function(autograph=False)
    def serve(**request):
        request = check_same_batch({name: all_checks[name](request[name]) for name in specs})
        for name, prepare in preparations.items():
            request[name] = checks[name](prepare(checked_bytes(name, request[name])))
        inputs = {t.name: tf.cast(request[t.name], t.dtype) for t in part.inputs}
        if not isinstance(part.input, dict):
            (inputs,) = inputs.values()
        answer = part(inputs, training=False)
        if not isinstance(answer, dict):
            answer = {output_names[0]: answer}
        return {name: _finite(name, value) for name, value in answer.items()}

    return serve.get_concrete_function(**specs)


def _finite(name, value):
    """An output as float32; the graph raises an error if large inputs made it overflow."""
    if not value.dtype.is_floating:
        return value
    value = tf.cast(value, tf.float32)
    stop = tf.debugging.Assert(
        tf.reduce_all(tf.math.is_finite(value)),
        [f"`{name}` is not finite: the values in the request are too large for this model."],
    )
    with tf.control_dependencies([stop]):
        return tf.identity(value)
