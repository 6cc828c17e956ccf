"""From the layouts of PyTorch and Haiku to Keras'."""

import numpy as np


def from_pytorch(array, role, shape, transposed_images=False):
    """An array of a PyTorch file, arranged for a weight of Keras.

    Args:
        array: The array.
        role: "kernel", "bias", "table", ...
        shape: Shape of the weight.
        transposed_images: Whether convolutions see images with height and width exchanged, as
            Hugging Face's conversion of DeepMind's convolution stores them.
    """
    if role == "kernel" and array.ndim == 2:
        return array.T
    if role == "kernel" and array.ndim == 4:
        if len(shape) == 2:  # 1 x 1, for us a dense layer
            return _one_by_one(array.transpose(2, 3, 1, 0))
        return array.transpose((3, 2, 1, 0) if transposed_images else (2, 3, 1, 0))
    return _without_leading_ones(array, shape)


def from_haiku(array, role, shape):
    """An array of a Haiku file, arranged for a weight of Keras."""
    if role == "kernel" and array.ndim == 4 and len(shape) == 2:
        return _one_by_one(array)
    return array if role == "kernel" else _without_leading_ones(array, shape)


def _one_by_one(kernel):
    if kernel.shape[:2] != (1, 1):
        raise ValueError(f"a kernel of shape {kernel.shape} is not 1 x 1")
    return kernel[0, 0]


def _without_leading_ones(array, shape):
    """`array` with as many axes as `shape`, if the others have size 1."""
    extra = array.ndim - len(shape)
    if extra > 0 and array.shape[:extra] == (1,) * extra:
        return np.reshape(array, array.shape[extra:])
    return array
