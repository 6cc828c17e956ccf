"""Values and gradients of a function of arrays, on whichever backend is in use."""

import keras
import numpy as np


def value_and_gradients(function, arrays, upstream, compiled=True):
    """NumPy arrays: `function(*arrays)`, then its gradients with that upstream gradient.

    `compiled=False` is for what others are compared with: tracing it takes longer than running it.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        def both():
            inputs = [tf.constant(array) for array in arrays]
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                value = function(*inputs)
            return value, tape.gradient(value, inputs, tf.constant(upstream))

        value, gradients = (tf.function(both, autograph=False) if compiled else both)()
    elif backend == "jax":
        import jax

        value, pull_back = jax.vjp(jax.jit(function), *map(jax.numpy.asarray, arrays))
        gradients = pull_back(jax.numpy.asarray(upstream))
    else:
        import torch

        inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
        value = function(*inputs)
        gradients = torch.autograd.grad(value, inputs, torch.tensor(upstream))
        value = value.detach()
    return [np.asarray(array) for array in (value, *gradients)]


def layer_gradients(function, arrays, weights):
    """`function(*arrays)` and the gradients of a random sum of it, by name, as NumPy arrays.

    `arrays` may be nested; gradients are those of each of them and of each weight.
    """
    flat = keras.tree.flatten(arrays)
    rng = np.random.default_rng(0)

    def of_flat(flat):
        return function(*keras.tree.pack_sequence_as(arrays, flat))

    upstream = rng.normal(size=keras.ops.shape(of_flat(flat))).astype("float32")
    names = [f"input {i}" for i in range(len(flat))] + [w.path.partition("/")[2] for w in weights]
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        inputs = [tf.constant(array) for array in flat]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(tf.cast(of_flat(inputs), "float32") * upstream)
        gradients = tape.gradient(total, [*inputs, *(w.value for w in weights)])
        gradients = [np.asarray(tf.convert_to_tensor(gradient)) for gradient in gradients]
    elif backend == "jax":
        import jax

        def total(inputs, values):
            with keras.StatelessScope(state_mapping=list(zip(weights, values))):
                return (of_flat(inputs) * upstream).sum()

        values = [w.value for w in weights]
        inputs = [jax.numpy.asarray(array) for array in flat]
        gradients = keras.tree.flatten(jax.jit(jax.grad(total, (0, 1)))(inputs, values))
        gradients = [np.asarray(gradient) for gradient in gradients]
    else:
        import torch

        inputs = [torch.tensor(array, requires_grad=True) for array in flat]
        total = (of_flat(inputs) * torch.tensor(upstream)).sum()
        gradients = torch.autograd.grad(total, [*inputs, *(w.value for w in weights)])
    return {name: np.asarray(gradient) for name, gradient in zip(names, gradients)}


def assert_gradients_equal(found, wanted, tolerance, least=1.0):
    """Each within a part of the largest number of the wanted one, or of `least`.

    The gradient of a key bias is zero but for the rounding of sums as large as the key kernel's.
    """
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert np.isfinite(found[name]).all(), name
        scale = np.abs(wanted[name.replace("key/bias", "key/kernel")]).max(initial=least)
        np.testing.assert_allclose(found[name], array, atol=tolerance * scale, err_msg=name)
