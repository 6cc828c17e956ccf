"""Random inputs and weights, the same on every backend."""

import os

import keras
import numpy as np
from hypothesis import settings

# How many examples are drawn in tests marked `drawn`: the slow tests draw more.
some_examples = settings(
    max_examples=int(os.environ.get("EXAMPLES", 10)), deadline=None, derandomize=True
)


def normal(*shape, seed=0):
    """Standard normal float32 numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomize(layer, seed=0, stddev=0.3):
    """Sets all weights, also those that start at zero or one, to random numbers."""
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        offset = 1.0 if weight.name == "gamma" else 0.0
        weight.assign((offset + stddev * rng.normal(size=weight.shape)).astype("float32"))
    return layer


def to_numpy(structure):
    """The same structure with NumPy arrays in it."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, structure)


def randomize_alike(layers, *inputs):
    """Builds two layers by calling them, and gives both the same random weights."""
    first, second = layers
    for layer in layers:
        layer(*inputs)
    second.set_weights(randomize(first).get_weights())
