"""The papers' blocks in float64 NumPy, one example and one head at a time.

Written from the equations and not from the package, so that a mistake must be made twice to pass.
Weights come as a dict by the path below the layer, such as "attention/query/kernel".
"""

import math

import keras
import numpy as np


def weights_of(layer):
    return {
        weight.path.split(f"{layer.name}/", 1)[1]: np.float64(keras.ops.convert_to_numpy(weight))
        for weight in layer.weights
    }


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu_erf(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def dense(x, weights, path):
    return x @ weights[f"{path}/kernel"] + weights[f"{path}/bias"]


def norm(x, weights, path):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * weights[f"{path}/gamma"] + weights[f"{path}/beta"]


def feed_forward(x, weights, path="", activation=gelu_tanh):
    hidden = activation(dense(x, weights, f"{path}hidden"))
    return dense(hidden, weights, f"{path}output")


def attention(query, value, weights, num_heads, path="", allowed=None, masked_rows="zero"):
    """Returns the result and the scores `(batch, heads, num_queries, num_inputs)`."""
    q, k, v = (
        dense(np.float64(x), weights, f"{path}{name}")
        for x, name in ((query, "query"), (value, "key"), (value, "value"))
    )
    scores = np.zeros((len(q), num_heads, q.shape[1], k.shape[1]))
    mixed = np.zeros((*q.shape[:2], v.shape[-1]))
    for example, head, row in np.ndindex(*scores.shape[:3]):
        qk = slice(head * q.shape[-1] // num_heads, (head + 1) * q.shape[-1] // num_heads)
        of_v = slice(head * v.shape[-1] // num_heads, (head + 1) * v.shape[-1] // num_heads)
        logits = k[example, :, qk] @ q[example, row, qk] / math.sqrt(q.shape[-1] / num_heads)
        permitted = np.ones(k.shape[1], bool) if allowed is None else allowed[example, row]
        if permitted.any():
            exponents = np.where(permitted, np.exp(logits - logits[permitted].max()), 0)
            scores[example, head, row] = exponents / exponents.sum()
        elif masked_rows == "uniform":
            scores[example, head, row] = 1 / k.shape[1]
        mixed[example, row, of_v] = scores[example, head, row] @ v[example, :, of_v]
    return dense(mixed, weights, f"{path}output"), scores


def cross_attention(
    query, value, weights, num_heads, path="", residual=True, activation=gelu_tanh, allowed=None
):
    query, value = np.float64(query), np.float64(value)
    read, scores = attention(
        norm(query, weights, f"{path}query_norm"),
        norm(value, weights, f"{path}value_norm"),
        weights,
        num_heads,
        f"{path}attention/",
        allowed,
    )
    x = query + read if residual else read
    normed = norm(x, weights, f"{path}feed_forward_norm")
    return x + feed_forward(normed, weights, f"{path}feed_forward/", activation), scores


def self_attention(x, weights, num_heads, path="", activation=gelu_tanh, allowed=None):
    x = np.float64(x)
    normed = norm(x, weights, f"{path}attention_norm")
    read, scores = attention(normed, normed, weights, num_heads, f"{path}attention/", allowed)
    x = x + read
    normed = norm(x, weights, f"{path}feed_forward_norm")
    return x + feed_forward(normed, weights, f"{path}feed_forward/", activation), scores


def fourier(positions, num_bands, max_resolution, concat_pos=True, sine_only=False):
    """Features of positions `(..., num_axes)`, filled in channel by channel."""
    axes = range(positions.shape[-1])
    channels = [positions[..., axis] for axis in axes] if concat_pos else []
    for function in (np.sin,) if sine_only else (np.sin, np.cos):
        for axis in axes:
            step = (max_resolution[axis] / 2 - 1) / max(num_bands - 1, 1)
            for band in range(num_bands):
                channels.append(function(math.pi * (1 + band * step) * positions[..., axis]))
    return np.stack(channels, -1)


def grid_positions(grid):
    """Positions of the cells of a grid, row by row, from -1 to 1; an axis of one cell is at -1."""
    cells = np.array(list(np.ndindex(*grid)), "float64")
    return -1 + 2 * cells / np.maximum(np.array(grid) - 1, 1)
