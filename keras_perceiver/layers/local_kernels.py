"""Initial values of query and key kernels by which attention starts local.

The scores of a head are bilinear in what asks and what is read, so they can be chosen at the start:
the kernels' product is fitted, by ridge regression, to scores that fall off with the distance of
two places, and is split into the two kernels by its singular values. Heads look at places beside
each other, so that together they read a neighbourhood without forgetting its arrangement, as a
convolution does.

Reference: no paper on Perceivers; attention that starts as a convolution is from ConViT
(arXiv 2103.10697), initial values that imitate trained ones from Mimetic Initialization
(arXiv 2305.09828).
"""

import numpy as np
from keras import ops

from keras_perceiver.layers.layer_norm import EPSILON
from keras_perceiver.layers.places import spread

LARGEST_FALL = 8.0  # scores fall by so much along an axis, then stay
CONTENT_SHARE = 0.95  # of the variance of values
LEAST_VALUE = 1e-2  # over the largest singular value
SHARPNESS = 6.0  # of what a number of waves can make; 2 pi at most
RIDGE = 1e-2  # over the mean square of the features


def fit_local_scores(attention, asking, reading, reads, boxes, apart=LARGEST_FALL):
    """Sets the query and key kernels of an `Attention` so that it starts local.

    Args:
        attention: A built `Attention`.
        asking: List of `Places`, groups of what asks; vectors before normalisation.
        reading: List of `Places`, groups of what is read.
        reads: For each group of `asking`, the index of the group it reads, or None if it reads
            everything alike.
        boxes: For each group of `asking`, the sides of the box that all heads together read, in
            cells of what it reads.
        apart: How far scores are lower in groups that are not read.
    """
    queries, keys = (
        normalized(np.concatenate([g.vectors for g in gs])) for gs in (asking, reading)
    )
    kernels = [numbers(layer.kernel) for layer in (attention.query_layer, attention.key_layer)]
    size = kernels[0].shape[1] // attention.num_heads
    solved = [_regressed(vectors) for vectors in (queries, keys)]
    for head in range(attention.num_heads):
        scores = [
            [
                _scores(group, other, boxes[i], head, attention.num_heads, size)
                if reads[i] == j
                else np.full((len(group.vectors), len(other.vectors)), -apart)
                for j, other in enumerate(reading)
            ]
            for i, group in enumerate(asking)
        ]
        scores = np.block(scores)
        # The matrix B that makes queries B keys' closest to the scores, by ridge regression.
        product = solved[0] @ (scores - scores.mean(axis=1, keepdims=True)) @ solved[1].T
        left, values, right = np.linalg.svd(product, full_matrices=False)
        # Columns of next to no singular value keep what they have: of two zeros none would learn.
        rank = min(size, np.count_nonzero(values > LEAST_VALUE * values[0]))
        root = np.sqrt(values[:rank]) * size**0.25  # attention divides scores by sqrt(size)
        columns = slice(head * size, head * size + rank)
        kernels[0][:, columns] = left[:, :rank] * root
        kernels[1][:, columns] = right[:rank].T * root
    attention.query_layer.kernel.assign(kernels[0])
    attention.key_layer.kernel.assign(kernels[1])


def _scores(asking, reading, box, head, num_heads, size):
    """Scores of one head of some size that looks at its own part of the box."""
    extents, box = np.array(reading.extents, float), np.array(box, float)
    parts = num_heads ** (1 / len(box))
    # Each wave along an axis takes two channels, and so many waves are no sharper than this.
    waves = max(1.0, size / 2 / len(box))
    widths = np.maximum(np.maximum(box / parts / 2, 0.5), extents / (SHARPNESS * waves))
    box = np.maximum(box, widths * parts)
    shift = (spread(num_heads, len(box))[head] - 0.5) * box if num_heads > 1 else 0.0
    return _falling(asking.coordinates * extents + shift, reading.coordinates * extents, widths)


def share_values(attention, vectors, content):
    """Scales the value kernel so that nearly all variance of values is content's.

    One grey channel beside 34 of positions would have 3 % of it. A latent knows its place anyway.

    Args:
        attention: A built `Attention`.
        vectors: What is read, `(count, width)`, before normalisation.
        content: Booleans `(width,)`, True for channels of content.
    """
    kernel, vectors = numbers(attention.value_layer.kernel), normalized(vectors)
    if content.all() or not content.any():
        return
    power = np.mean(vectors**2, axis=0)
    for channels, share in ((content, CONTENT_SHARE), (~content, 1 - CONTENT_SHARE)):
        kernel[channels] *= np.sqrt(power.sum() * share / power[channels].sum())
    attention.value_layer.kernel.assign(kernel)


def normalized(vectors):
    """Layer normalisation, as it is at the start."""
    vectors = vectors - vectors.mean(axis=-1, keepdims=True)
    return vectors / np.sqrt(np.mean(vectors**2, axis=-1, keepdims=True) + EPSILON)


def numbers(weight):
    return np.array(ops.convert_to_numpy(ops.cast(weight, "float32")))


def _falling(centres, cells, widths):
    """Scores of a Gaussian around each centre, `(centres, cells)`."""
    scores = np.zeros((len(centres), len(cells)))
    for axis, width in enumerate(widths):
        distance = (centres[:, None, axis] - cells[None, :, axis]) / width
        scores += np.maximum(-(distance**2) / 2, -LARGEST_FALL)
    return scores


def _regressed(features):
    """The matrix that takes targets to their coefficients, by ridge regression on features."""
    square = features.T @ features
    ridge = RIDGE * np.trace(square) / len(square)
    return np.linalg.solve(square + ridge * np.eye(len(square)), features.T)
