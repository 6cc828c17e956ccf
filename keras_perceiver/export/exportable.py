"""Checks whether a model can be exported."""

import numpy as np

from keras_perceiver import arguments
from keras_perceiver.models.perceiver import Perceiver


def check_exportable(model, allow_uncompiled):
    """Raises ValueError unless `model` is a compiled `Perceiver` with finite weights.

    Weights are not finite if training diverged; every output would then be NaN.
    """
    arguments.flag("allow_uncompiled", allow_uncompiled)
    if not isinstance(model, Perceiver):
        built = getattr(model, "built", None)
        state = "" if built is None else ", built" if built else ", not built"
        raise ValueError(
            "`model` must be a Perceiver from one of the builders, such as kp.build_classifier. "
            f"Received: {type(model).__name__}{state}"
        )
    if not model.compiled and not allow_uncompiled:
        raise ValueError(
            "`model` must be compiled, since an uncompiled model was most likely never trained. If "
            "its weights were loaded and are good, set allow_uncompiled=True. Received: a model "
            "that is not compiled"
        )
    for weight in model.weights:
        value = np.asarray(weight.numpy(), "float32")
        if not np.isfinite(value).all():
            raise ValueError(
                f"`model` must have finite weights. Received: NaN or infinity in {weight.path}"
            )
