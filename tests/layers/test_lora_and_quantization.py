"""Keras' own tools find the four projections by walking the layers."""

import keras
import numpy as np
import pytest

from keras_perceiver.layers import CrossAttention, LatentTransformer
from tests.random_values import normal, to_numpy

PROJECTIONS = {"query", "key", "value", "output"}


def built(layer):
    shapes = [(None, 3, 14)] if isinstance(layer, LatentTransformer) else [(None, 3, 14)] * 2
    inputs = [keras.Input(shape[1:]) for shape in shapes]
    return keras.Model(inputs, layer(*inputs)), [normal(2, *shape[1:]) for shape in shapes]


def dense_layers(model):
    return [
        layer
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.Dense)
    ]


@pytest.mark.parametrize(
    "layer, count",
    [(CrossAttention, 4 + 2), (lambda: LatentTransformer(2, num_heads=2), 2 * (4 + 2))],
    ids=["cross_attention", "latent_transformer"],
)
def test_lora_replaces_the_kernels_by_low_ranks(layer, count):
    model, arrays = built(layer())
    before = to_numpy(model(arrays))
    found = dense_layers(model)
    assert len(found) == count
    assert {one.name for one in found} == PROJECTIONS | {"hidden"}
    projections = [one for one in found if one.name in PROJECTIONS]
    for one in projections:
        one.enable_lora(rank=2)
        names = {weight.name for weight in one.trainable_weights}
        assert names == {"lora_kernel_a", "lora_kernel_b", "bias"}
    np.testing.assert_allclose(to_numpy(model(arrays)), before, atol=1e-6)
    lora_b = projections[0].lora_kernel_b
    lora_b.assign(np.ones(lora_b.shape))
    assert np.abs(to_numpy(model(arrays)) - before).max() > 1e-4


@pytest.mark.parametrize(
    "layer",
    [CrossAttention, lambda: LatentTransformer(1, num_heads=2)],
    ids=["cross_attention", "latent_transformer"],
)
def test_int8_stays_near(layer):
    model, arrays = built(layer())
    before = to_numpy(model(arrays))
    for one in dense_layers(model):
        one.quantize("int8")
        assert keras.backend.standardize_dtype(one._kernel.dtype) == "int8"
    after = to_numpy(model(arrays))
    assert 0 < np.abs(after - before).max() < 0.1
