"""Random inputs and weights, the same on every backend."""

import os

import keras
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

# How many examples are drawn in tests marked `drawn`: the slow tests draw more.
some_examples = settings(
    max_examples=int(os.environ.get("EXAMPLES", 10)), deadline=None, derandomize=True
)


# Means and spreads of features: around zero, and with a large offset in common (Kelvin, years,
# grey values), where float32 has few places left. N(0, 1) alone cannot tell E[x^2] - mean^2 from a
# variance around the mean.
OFFSETS = [(0.0, 1.0), (1013.0, 1.0), (127.0, 40.0), (1e4, 1.0), (1e4, 1e-2), (-3000.0, 0.1)]
# Draws (0, 1) as often as all others together.
offsets = st.one_of(st.just(OFFSETS[0]), st.sampled_from(OFFSETS[1:]))


def normal(*shape, seed=0, mean=0.0, spread=1.0):
    """Normal float32 numbers."""
    numbers = mean + spread * np.random.default_rng(seed).normal(size=shape)
    return numbers.astype("float32")


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
