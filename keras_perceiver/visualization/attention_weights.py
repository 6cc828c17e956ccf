"""Attention weights of a few queries at a time, so that large ones never lie in memory at once."""

import keras
import numpy as np
from keras import ops

MOST_WEIGHTS = 2**22  # 16 MiB of float32


def attention_weights(attention, query, value, query_mask=None, value_mask=None):
    """Yields the weights of an `Attention` for successive slices of the queries.

    Args:
        attention: The `Attention` layer.
        query: Normalised queries `(batch, num_queries, query_dim)`.
        value: Normalised inputs `(batch, num_inputs, value_dim)`.
        query_mask: Optional booleans `(batch, num_queries)`.
        value_mask: Optional booleans `(batch, num_inputs)`.

    Yields:
        A slice of the queries, and NumPy float32 `(batch, num_heads, queries, num_inputs)`.
    """
    keys = attention.key_layer(value)
    batch, count = query.shape[:2]
    size = max(1, MOST_WEIGHTS // (batch * attention.num_heads * value.shape[1]))
    for start in range(0, count, size):
        rows = slice(start, min(start + size, count))
        mask = None if query_mask is None else query_mask[:, rows]
        weights = attention.weights_to(keys, query[:, rows], mask, value_mask)
        yield rows, keras.ops.convert_to_numpy(ops.cast(weights, "float32"))


def all_weights(attention, query, value, query_mask=None, value_mask=None, heads="mean"):
    """All weights as NumPy float32, `(batch, num_queries, num_inputs)`, the mean over heads.

    With `heads="all"`, `(batch, num_heads, num_queries, num_inputs)`.
    """
    batch, count = query.shape[:2]
    shape = (batch, attention.num_heads, count, value.shape[1])
    found = np.empty(shape if heads == "all" else (batch, *shape[2:]), "float32")
    for rows, weights in attention_weights(attention, query, value, query_mask, value_mask):
        if heads == "all":
            found[:, :, rows] = weights
        else:
            found[:, rows] = weights.mean(axis=1)
    return found
