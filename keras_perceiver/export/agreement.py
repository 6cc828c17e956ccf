"""Compares the outputs of an exported model with those of the original model."""

import keras
import numpy as np

HALF_TOLERANCE = 2e-2  # half precision itself resolves 1e-3 (bfloat16: 8e-3)
TOLERANCE = 1e-3  # of the largest output; another summation order changes float32 by about 1e-6


def check_agreement(what, model, request, answers, tolerance=TOLERANCE):
    """Raises RuntimeError unless `answers` match the model; returns the largest difference.

    Args:
        what: Name of the exported form, for the error.
        model: A `Perceiver`.
        request: {name of an input: array}.
        answers: Outputs of the exported form: {name of an output: array}, or a list in the model's
            order.
        tolerance: Largest allowed difference, relative to the largest absolute value or to 1,
            whichever is larger. At least 2e-2 if the model computes in half precision.
    """
    if model.encoder.get_layer("encoder_cross_attention").compute_dtype != "float32":
        tolerance = max(tolerance, HALF_TOLERANCE)
    inputs = request if isinstance(model.input, dict) else next(iter(request.values()))
    wanted = model(inputs, training=False)
    wanted = keras.tree.flatten(wanted)
    if isinstance(answers, dict):
        answers = [answers[name] for name in sorted(answers)]
    largest = 0.0
    for have, want in zip(answers, wanted, strict=True):
        have = np.asarray(have, "float32")
        want = keras.ops.convert_to_numpy(keras.ops.cast(want, "float32"))
        if have.shape != want.shape:
            raise RuntimeError(
                f"{what} gives an output of shape {have.shape}, the model gives {want.shape}."
            )
        difference = float(np.abs(have - want).max()) / max(1.0, float(np.abs(want).max()))
        if not difference <= tolerance:
            raise RuntimeError(
                f"{what} does not give the model's answers: they differ by {difference:.1e} of the "
                f"largest value, and {tolerance:.0e} is allowed. It was deleted."
            )
        largest = max(largest, difference)
    return largest
