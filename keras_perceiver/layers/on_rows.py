"""Dense layers on matrices."""

from keras import ops


def on_rows(layer, x):
    """`layer(x)`, computed with all axes of `x` but the last as one.

    TensorFlow fuses a matrix product with the bias and the GELU that follow, but only that of two
    matrices; in bfloat16 this is worth 8 % of a latent Transformer.
    """
    rows = layer(ops.reshape(x, (-1, x.shape[-1])))
    return ops.reshape(rows, (*ops.shape(x)[:-1], rows.shape[-1]))
