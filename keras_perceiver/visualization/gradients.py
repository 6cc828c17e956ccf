"""Gradients with respect to arrays, on every backend of Keras."""

import keras


def gradients(function, arrays):
    """The gradients of a scalar function of a list of tensors, as NumPy arrays.

    Args:
        function: From a list of float tensors to a scalar tensor.
        arrays: A list of float tensors, each of which affects the result.
    """
    return _OF_BACKEND[keras.backend.backend()](function, arrays)


def _tensorflow(function, arrays):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        for array in arrays:
            tape.watch(array)
        result = function(arrays)
    found = tape.gradient(result, arrays, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [one.numpy() for one in found]


def _jax(function, arrays):
    import jax

    return [keras.ops.convert_to_numpy(one) for one in jax.grad(function)(arrays)]


def _torch(function, arrays):
    import torch

    arrays = [array.detach().requires_grad_() for array in arrays]
    with torch.enable_grad():
        found = torch.autograd.grad(function(arrays), arrays, materialize_grads=True)
    return [one.cpu().numpy() for one in found]


_OF_BACKEND = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
