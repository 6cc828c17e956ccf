"""The dtype of sums: at least float32 under any dtype policy."""

import keras
from keras import ops


def wide_dtype(x):
    """ "float64" for arrays of that dtype, "float32" for all others."""
    return "float64" if keras.backend.standardize_dtype(x.dtype) == "float64" else "float32"


def wide(x):
    """An array in its `wide_dtype`."""
    return ops.cast(x, wide_dtype(x))


def dtype_policy(dtype):
    """The dtype policy for an argument `dtype`; Keras' default policy for None."""
    if dtype is None:
        return keras.config.dtype_policy()
    try:
        if isinstance(dtype, keras.DTypePolicy) or (isinstance(dtype, (str, dict)) and dtype):
            return keras.dtype_policies.get(dtype)
    except (ValueError, TypeError, KeyError):
        pass
    raise ValueError(
        "`dtype` must be a dtype or policy that Keras knows, such as 'float32' or "
        f"'mixed_bfloat16'. Received: dtype={dtype!r}"
    )
