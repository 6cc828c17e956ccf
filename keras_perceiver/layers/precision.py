"""The dtype of sums: at least float32 under any dtype policy."""

import keras
from keras import ops


def wide_dtype(x):
    """ "float64" for arrays of that dtype, "float32" for all others."""
    return "float64" if keras.backend.standardize_dtype(x.dtype) == "float64" else "float32"


def wide(x):
    """An array in its `wide_dtype`."""
    return ops.cast(x, wide_dtype(x))
