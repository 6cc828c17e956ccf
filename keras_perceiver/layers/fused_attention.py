"""Multi-head attention by one kernel of the backend that keeps no scores, on GPUs that have it.

JAX has cuDNN's and PyTorch has FlashAttention's, both in half precision only. TensorFlow has none.
On a TPU, Keras' wrapper for JAX seems to mask the future even if not asked to, so it is not used.
"""

import keras
from keras import ops

HALF_PRECISION = ("float16", "bfloat16")
WIDEST = 256  # channels of a head; a wider head fits no kernel


def can_fuse(q, v_channels, num_heads):
    """Whether a kernel can attend: on a GPU, in half precision, with equal widths of all heads.

    Args:
        q: Queries `(batch, n, heads * width)`.
        v_channels: Width of the values, of all heads together.
        num_heads: Number of heads.
    """
    width = q.shape[-1] // num_heads
    fits = q.shape[-1] == v_channels and width % 8 == 0 and width <= WIDEST
    return fits and keras.backend.standardize_dtype(q.dtype) in HALF_PRECISION and on_gpu(q)


def on_gpu(x):
    """Whether the backend has fused attention where `x` is."""
    backend = keras.backend.backend()
    if backend == "torch":
        return x.device.type == "cuda"
    if backend == "jax":
        return keras.distribution.list_devices()[0].split(":")[0] in ("gpu", "cuda")
    return False


def fused_attention(q, k, v, num_heads):
    """softmax(q . k) v for each head, of scaled queries, without masks and dropout.

    Args:
        q: Scaled queries `(batch, n, heads * width)`.
        k: Keys `(batch, m, heads * width)`.
        v: Values `(batch, m, heads * width)`.
        num_heads: Number of heads.

    Returns:
        Floats `(batch, n, heads * width)`.
    """
    by_heads = (ops.reshape(x, (*ops.shape(x)[:2], num_heads, -1)) for x in (q, k, v))
    mixed = ops.dot_product_attention(*by_heads, scale=1.0)
    return ops.reshape(mixed, ops.shape(q))
