"""Random weights for models of transformers."""

import math

import numpy as np


def random_weight(name, shape, rng):
    """A float32 array that keeps activations of order one and every parameter visible."""
    normal = rng.standard_normal(shape)
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, "int64")
    if name.endswith("running_var"):
        value = rng.uniform(0.5, 1.5, shape)
    elif name.endswith(("bias", "running_mean")):
        value = 0.1 * normal
    elif "norm" in name:
        value = 1 + 0.1 * normal
    elif name.endswith("embeddings.weight") or not name.endswith("weight"):
        value = 0.5 * normal  # tables: latents, positions, queries, paddings, mask tokens, tokens
    else:
        value = normal / math.sqrt(np.prod(shape[1:]))
        sharp = "cross_attention" in name and name.endswith(("query.weight", "key.weight"))
        if sharp or name.endswith("conv.weight"):
            value *= 2  # pick out some tokens instead of their mean: outputs follow the inputs
    return value.astype("float32")
