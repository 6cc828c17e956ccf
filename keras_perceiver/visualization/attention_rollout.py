"""Attention through several layers as one matrix."""

import numpy as np

from keras_perceiver import arguments


def attention_rollout(scores):
    """Combines the attention of a stack of self-attention layers with residuals.

    The matrix of each layer is the mean of the identity (the residual) and the attention weights,
    averaged over heads. The matrices of all layers are multiplied.

    Args:
        scores: Attention weights `(batch, num_heads, length, length)` of each layer, in the order
            of the layers; each row sums to 1.

    Returns:
        NumPy floats `(batch, length, length)`: the share of each row after the stack (axis 1)
        that comes from each row before the stack (axis 2). Each row sums to 1.

    Raises:
        ValueError: if there are no layers, or the weights do not have that shape.

    Example:

    >>> latents, scores = latent_transformer(latents, return_attention_scores=True)
    >>> attention_rollout(scores)

    Reference: S. Abnar, W. Zuidema, "Quantifying Attention Flow in Transformers"
    (arXiv 2005.00928), section 3, "attention rollout".
    """
    rollout = None
    if not hasattr(scores, "__iter__"):
        raise TypeError(
            "`scores` must be a list of arrays, one for each layer. Received: scores of type "
            f"{type(scores).__name__}"
        )
    for layer in scores:
        layer = arguments.floats("scores", layer)
        if layer.ndim != 4 or layer.shape[2] != layer.shape[3]:
            raise ValueError(
                "`scores` must be a list of arrays (batch, num_heads, length, length). Received: "
                f"an array of shape {layer.shape}"
            )
        step = 0.5 * layer.mean(axis=1) + 0.5 * np.eye(layer.shape[-1], dtype="float32")
        rollout = step if rollout is None else step @ rollout
    if rollout is None:
        raise ValueError("`scores` must hold the weights of at least one layer. Received: []")
    return rollout
