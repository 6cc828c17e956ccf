"""A mask belongs to the examples beside it: one of another batch is refused, not broadcast."""

import keras
import numpy as np
import pytest

from keras_perceiver.layers import (
    Attention,
    CrossAttention,
    FourierEncoding,
    LatentTransformer,
    OutputQueryDecoder,
    SelfAttention,
    SeparableCrossAttention,
    SeparableQueryAttention,
)
from tests.random_values import normal

QUERY, VALUE, GRID = (2, 3, 8), (2, 5, 8), (2, 2, 7, 3)
BOTH = {"query_mask": (3,), "value_mask": (5,)}
PAIRS = {"attention_mask": (3, 5)}


def grid():
    return FourierEncoding(2, (2, 7))


# A layer, the shapes of what it is called with, and its masks without their batch.
LAYERS = {
    "attention": (lambda: Attention(2), (QUERY, VALUE), {**BOTH, **PAIRS}),
    "chunked": (lambda: Attention(2, chunked=True), (QUERY, VALUE), {**BOTH, **PAIRS}),
    "cross": (lambda: CrossAttention(2), (QUERY, VALUE), {**BOTH, **PAIRS}),
    "self": (lambda: SelfAttention(2), (QUERY,), {"mask": (3,), "attention_mask": (3, 3)}),
    "latent": (lambda: LatentTransformer(1, num_heads=2), (QUERY,), {"mask": (3,)}),
    "decoder": (lambda: OutputQueryDecoder(4), (QUERY, VALUE), BOTH),
    "decoder of a grid": (
        lambda: OutputQueryDecoder(4, position=grid()),
        (GRID, VALUE),
        {"query_mask": (14,), "value_mask": (5,)},
    ),
    "separable value": (
        lambda: SeparableCrossAttention({"image": grid()}),
        (QUERY, {"image": {"features": GRID}}),
        {"query_mask": (3,), "value_mask": (14,)},
    ),
    "separable query": (
        lambda: SeparableQueryAttention(grid()),
        (GRID, VALUE),
        {"query_mask": (14,), "value_mask": (5,)},
    ),
}
CASES = [(name, mask) for name, (_, _, masks) in LAYERS.items() for mask in masks]


def of_shapes(shapes, make):
    if isinstance(shapes, dict):
        return {key: of_shapes(shape, make) for key, shape in shapes.items()}
    return make(shapes)


@pytest.mark.parametrize("make", [lambda s: normal(*s), keras.KerasTensor], ids=["eager", "graph"])
@pytest.mark.parametrize("name, mask", CASES)
def test_a_mask_of_another_batch(name, mask, make):
    layer, shapes, masks = LAYERS[name]
    arrays = [of_shapes(shape, make) for shape in shapes]

    def called(batch):
        shape = (batch, *masks[mask])
        is_eager = isinstance(arrays[0], np.ndarray)
        given = np.ones(shape, bool) if is_eager else keras.KerasTensor(shape, "bool")
        return layer()(*arrays, **{mask: given})

    assert called(2).shape[0] == 2
    for batch in (1, 3):
        with pytest.raises(ValueError) as refused:
            called(batch)
        wanted, came = (2, *masks[mask]), (batch, *masks[mask])
        assert f"`{mask}` must have shape {wanted}" in str(refused.value)
        assert f"Received: {mask} of shape {came}" in str(refused.value)


@pytest.mark.parametrize("name", ["attention", "cross", "decoder"])
def test_a_mask_of_values_has_the_batch_of_the_values(name):
    """Queries alike for all examples may have a batch of 1."""
    layer, query = LAYERS[name][0](), normal(1, 3, 8)
    assert layer(query, normal(*VALUE), value_mask=np.ones((2, 5), bool)).shape[0] == 2
    with pytest.raises(ValueError, match=r"`value_mask` must have shape \(2, 5\)"):
        layer(query, normal(*VALUE), value_mask=np.ones((1, 5), bool))


@pytest.mark.parametrize("name", LAYERS)
def test_masks_by_position(name):
    layer, shapes, masks = LAYERS[name]
    symbolic = [of_shapes(shape, keras.KerasTensor) for shape in shapes]
    given = [keras.KerasTensor((2, *shape), "bool") for shape in masks.values()]
    assert len(layer()(*symbolic, *given).shape) == 3
