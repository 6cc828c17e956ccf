"""DeepMind's own code as a worker: python -m benchmarks.deepmind_worker DIRECTORY."""

import argparse
import importlib.metadata

import haiku as hk
import jax
import numpy as np
from jax import numpy as jnp

from benchmarks import deepmind_source
from benchmarks.deepmind_cases import Cases
from benchmarks.protocol import WorkerError, serve
from benchmarks.run_jax import Jax
from benchmarks.side import Side


class DeepMindSide(Side):
    """The code in a checkout, compiled by JAX, with random weights.

    In bfloat16, weights and inputs are cast before the call, and the inputs of every module inside:
    positions are computed in float32, and would make all that follows float32.
    """

    def __init__(self, directory):
        self.cases = Cases(*deepmind_source.load(directory))
        self.runner = Jax()

    def versions(self):
        return {name: importlib.metadata.version(name) for name in ("jax", "dm-haiku")}

    def prepare(self, case, batch, mode, dtype, **sizes):
        make = getattr(self.cases, case, None)
        if make is None:
            raise WorkerError("has no such model")
        call, inputs = make(batch, **sizes)

        def model(training, inputs):
            with hk.intercept_methods(casting(dtype)):
                return call(**inputs, is_training=training)

        model, key = hk.transform_with_state(model), jax.random.key(0)
        # Only in training does its batch normalisation make its state.
        weights, state = jax.jit(lambda: model.init(key, True, inputs))()
        self.parameters = sum(weight.size for weight in jax.tree.leaves(weights))
        weights, state, inputs = cast((weights, state, inputs), dtype)

        def forward(weights, state, inputs):
            return model.apply(weights, state, key, mode == "train", inputs)[0]

        def loss(weights, state, inputs):
            outputs = jax.tree.leaves(forward(weights, state, inputs))
            return sum(jnp.mean(jnp.square(output.astype("float32"))) for output in outputs)

        step = {"forward": forward, "train": jax.value_and_grad(loss)}[mode]
        return self.runner.function(step, weights, state, inputs, dtype=dtype)

    def drop(self):
        super().drop()
        jax.clear_caches()
        return True

    def matrix_product(self, dtype):
        return self.runner.matrix_product(dtype)


def cast(values, dtype):
    """All arrays of floating-point numbers of a structure in another precision, as JAX arrays."""

    def one(value):
        if not isinstance(value, (np.ndarray, jax.Array)):
            return value
        return jnp.asarray(value, dtype if jnp.issubdtype(value.dtype, jnp.floating) else None)

    return jax.tree.map(one, values)


def casting(dtype):
    """An interceptor of calls of modules that casts what they are given."""

    def call(function, args, kwargs, context):
        if context.method_name == "__call__" and dtype != "float32":
            args, kwargs = cast((args, kwargs), dtype)
        return function(*args, **kwargs)

    return call


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", help="a checkout of google-deepmind/deepmind-research")
    serve(DeepMindSide(parser.parse_args().directory))
