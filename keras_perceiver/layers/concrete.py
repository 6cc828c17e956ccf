"""The values of an array, if they are known."""

import keras
import numpy as np


def concrete(array):
    """NumPy values of an array of any backend, or None if it is symbolic or being traced."""
    if isinstance(array, np.ndarray):
        return array
    if isinstance(array, keras.KerasTensor):
        return None
    try:
        return keras.ops.convert_to_numpy(array)
    except Exception:  # each backend raises its own error for arrays without values
        return None
