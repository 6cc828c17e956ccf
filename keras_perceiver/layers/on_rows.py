"""Applies dense layers to matrices instead of arrays of higher rank."""

from keras import ops


def on_rows(layer, x, residual=None):
    """`layer(x) + residual`, computed with all axes of `x` but the last merged into one.

    TensorFlow fuses a matrix product with a following bias, GELU or addition only if both operands
    are matrices; in bfloat16 this saves 8 % of the time of a latent Transformer.
    """
    rows = layer(ops.reshape(x, (-1, x.shape[-1])))
    if residual is not None:
        rows = rows + ops.reshape(residual, (-1, rows.shape[-1]))
    return ops.reshape(rows, (*ops.shape(x)[:-1], rows.shape[-1]))
