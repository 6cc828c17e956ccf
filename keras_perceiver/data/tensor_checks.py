"""Checks of the arguments of this folder's functions: tensors, datasets and seeds."""

import tensorflow as tf

from keras_perceiver import arguments


def tensor(name, value, wanted):
    """Returns `value` as a tensor, or raises ValueError."""
    try:
        return tf.convert_to_tensor(value)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`{name}` must be {wanted}. Received: {name} of type {type(value).__name__}"
        ) from error


def dataset(name, value):
    """Returns `value`, or raises TypeError if it is not a tf.data pipeline."""
    if not isinstance(value, tf.data.Dataset):
        raise TypeError(
            f"`{name}` must be a tf.data.Dataset, such as kp.data.from_arrays makes. Received: "
            f"{name} of type {type(value).__name__}"
        )
    return value


def seed(name, value):
    """Returns `value`, or raises ValueError if it is neither None nor a whole number from 0."""
    return arguments.optional_whole_number(name, value, at_least=0)


def pair(name, value):
    """Returns the seed of a stateless random function, two whole numbers, as a tensor."""
    value = tensor(name, value, "two whole numbers")
    if not value.dtype.is_integer or not value.shape.is_compatible_with((2,)):
        raise ValueError(
            f"`{name}` must be two whole numbers, as tf.data.Dataset.random().batch(2) gives. "
            f"Received: {name} of dtype {value.dtype.name} and shape {tuple(value.shape)}"
        )
    return value
