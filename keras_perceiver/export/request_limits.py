"""Limits on the sizes and values of a request's tensors, from a model's descriptions."""

import keras

from keras_perceiver.export.request_checks import RequestChecks
from keras_perceiver.inputs.request_limits import RequestLimits


def request_checks(specs, model, max_batch, max_growth):
    """{name: RequestChecks} for a model's symbolic inputs.

    Args:
        specs: {name: KerasTensor} of the tensors of a signature.
        model: The `Perceiver` as it was built.
        max_batch: Largest number of examples.
        max_growth: Largest ratio of an open size to the size with which the model was built.
    """
    limits = {}
    for described in (*model.output_descriptions.values(), *model.input_descriptions.values()):
        limits.update(described.request_limits(max_growth))
    checks = {}
    for name, spec in specs.items():
        shape = tuple(spec.shape)[1:]
        limit = limits.get(name, RequestLimits(shape, shape))
        dtype = keras.backend.standardize_dtype(spec.dtype)
        checks[name] = RequestChecks(
            name,
            spec.shape,
            (max_batch, *limit.largest),
            limit,
            "float32" if "float" in dtype else dtype,  # half precision stays inside
        )
    return checks
