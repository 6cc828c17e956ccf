"""Runs a model on JAX, compiled by XLA."""

import jax
from jax import numpy as jnp

from benchmarks.side import MATRIX


class Jax:
    package = "jax"

    def arrays(self, inputs):
        return jax.tree.map(jnp.asarray, inputs)

    def function(self, call, *arguments, dtype=None):
        """A compiled call. As in PyTorch, float32 products are not rounded to TF32 on a GPU."""
        compiled = jax.jit(call)
        precision = "highest" if dtype == "float32" else None

        def run():
            with jax.default_matmul_precision(precision):
                return jax.block_until_ready(compiled(*arguments))

        return run

    def layer(self, layer, args, kwargs):
        """One call of a layer. Arrays are arguments, because XLA would fold constants."""
        leaves, tree = jax.tree.flatten((args, kwargs))
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]

        def call(arrays):
            filled = list(leaves)
            for place, array in zip(places, arrays):
                filled[place] = array
            args, kwargs = jax.tree.unflatten(tree, filled)
            return layer(*args, **kwargs)

        return self.function(call, [leaves[place] for place in places])

    def step(self, model, inputs, mode):
        weights = [v.value for v in model.trainable_variables]
        others = [v.value for v in model.non_trainable_variables]

        def forward(weights, others, inputs):
            return model.stateless_call(weights, others, inputs, training=False)[0]

        def loss(weights, others, inputs):
            outputs = model.stateless_call(weights, others, inputs, training=True)[0]
            squares = [jnp.mean(jnp.square(o.astype("float32"))) for o in jax.tree.leaves(outputs)]
            return sum(squares)

        call = {"forward": forward, "train": jax.value_and_grad(loss)}[mode]
        return self.function(call, weights, others, inputs, dtype=model.compute_dtype)

    def matrix_product(self, dtype):
        a = jnp.asarray(jax.random.normal(jax.random.key(0), (MATRIX, MATRIX)), dtype)
        return self.function(jnp.matmul, a, a, dtype=dtype)

    def device_memory(self):
        device = jax.devices()[0]
        if device.platform == "cpu":
            return None
        stats = device.memory_stats()
        return stats["peak_bytes_in_use"] - stats["bytes_in_use"]  # the peak is never reset
