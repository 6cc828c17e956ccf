"""Chunks of inputs against all inputs at once: values, gradients, masks, dropout, memory."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_perceiver.layers import CrossAttention
from keras_perceiver.layers.attend_by_inputs import attend_by_inputs
from keras_perceiver.layers.attend_by_queries import attend_by_queries
from tests.gradients import layer_gradients, value_and_gradients
from tests.random_values import normal, offsets, randomize_alike, some_examples

ROOT = Path(__file__).parents[2]


def projected(x, kernel, bias, width, epsilon):
    if epsilon is not None:
        for _ in range(2):  # the second pass removes the rounding error of a large mean
            x = x - ops.mean(x, axis=-1, keepdims=True)
        x = x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + epsilon)
    both = ops.matmul(x, kernel) + bias
    return both[..., :width], both[..., width:]


@pytest.mark.drawn
@some_examples
@given(
    batch=st.integers(1, 2),
    heads=st.integers(1, 3),
    n=st.integers(1, 5),
    m=st.integers(2, 11),
    width=st.integers(1, 4),
    epsilon=st.sampled_from([None, 1e-5]),
    masks=st.sets(st.sampled_from(["query", "value", "attention"])),
    dropout=st.sampled_from([0.0, 0.4]),
    budget=st.sampled_from([None, 4, 50, 120]),
    offset=offsets,
    seed=st.integers(0, 2**16),
)
def test_values_and_gradients(
    batch, heads, n, m, width, epsilon, masks, dropout, budget, offset, seed
):
    """Against attention whose keys and values are all there, with the same weights dropped."""
    rng = np.random.default_rng(seed)
    qk = heads * width
    shapes = [(batch, n, qk), (batch, m, 4), (4, qk + heads * 3), (qk + heads * 3,)]
    arrays = [rng.normal(scale=0.7, size=shape).astype("float32") for shape in shapes]
    if epsilon is not None:  # inputs that are not normalised here are normalised before
        mean, spread = offset
        arrays[1] = np.float32(mean) + np.float32(spread) * arrays[1]
    shapes = {"query": (batch, n, 1), "value": (batch, 1, m), "attention": (batch, n, m)}
    masks = [ops.convert_to_tensor(rng.random(shapes[kind]) < 0.7) for kind in sorted(masks)]
    allowed = np.ones((batch, n, m), bool)
    for mask in masks:
        allowed = allowed & ops.convert_to_numpy(mask)
    # Where nothing may be attended, `Attention` answers; here such rows have no gradient.
    upstream = rng.normal(size=(batch, n, heads * 3)).astype("float32")
    upstream = upstream * allowed.any(-1, keepdims=True)
    drawn = ops.convert_to_tensor(seed, "int32")

    def ours(q, x, kernel, bias):
        return attend_by_inputs(
            q, x, kernel, bias, epsilon, heads, masks, dropout, drawn, budget=budget
        )

    def theirs(q, x, kernel, bias):
        k, v = projected(x, kernel, bias, qk, epsilon)
        return attend_by_queries(q, k, v, heads, masks, dropout, drawn)

    found = value_and_gradients(ours, arrays, upstream)
    wanted = value_and_gradients(theirs, arrays, upstream, compiled=False)
    for ours_is, theirs_is in zip(found, wanted, strict=True):
        largest = max(1.0, np.abs(theirs_is).max())
        np.testing.assert_allclose(ours_is, theirs_is, rtol=2e-5, atol=2e-5 * largest)


def test_all_masked_rows_weigh_all_the_same_in_filled_up_pieces():
    q, x, kernel = normal(1, 2, 3), normal(1, 7, 4), normal(4, 5)
    mask = ops.zeros((1, 1, 7), "bool")
    read = attend_by_inputs(q, x, kernel, np.zeros(5, "float32"), masks=[mask], budget=30)
    mean = (x @ kernel)[0, :, 3:].mean(0)
    np.testing.assert_allclose(ops.convert_to_numpy(read)[0], [mean, mean], atol=1e-6)


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("heads", [1, 2])
def test_cross_attention_with_every_gradient(heads, mask):
    layers = [CrossAttention(heads, 4, 6, chunked=chunked) for chunked in (False, True)]
    query, value = normal(2, 3, 6), normal(2, 11, 5)
    options = {}
    if mask:
        options["value_mask"] = np.arange(22).reshape(2, 11) % 3 > 0
    randomize_alike(layers, query, value)
    wanted, found = [
        layer_gradients(lambda q, v: layer(q, v, **options), (query, value), layer.weights)  # noqa: B023
        for layer in layers
    ]
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=2e-5, err_msg=name)


def test_lora_is_read_too():
    layers = [CrossAttention(1, 4, 6, chunked=chunked) for chunked in (False, True)]
    query, value = normal(2, 3, 6), normal(2, 11, 5)
    for layer in layers:
        layer(query, value)
        for dense in (layer.attention.key_layer, layer.attention.value_layer):
            dense.enable_lora(2)
    randomize_alike(layers, query, value)
    found = [ops.convert_to_numpy(layer(query, value)) for layer in layers]
    np.testing.assert_allclose(*found, atol=1e-5)


def test_int8_weights_are_used():
    layer = CrossAttention(1, 4, 6, chunked=True)
    query, value = normal(2, 3, 6), normal(2, 11, 5)
    before = ops.convert_to_numpy(layer(query, value))
    layer.attention.key_layer.quantize("int8")
    layer.attention.value_layer.quantize("int8")
    after = ops.convert_to_numpy(layer(query, value))
    assert 0 < np.abs(after - before).max() < 0.1


@pytest.mark.slow
@pytest.mark.tensorflow
def test_memory_does_not_grow_with_latents_times_inputs():
    """A training step on 65,536 pixels and 512 latents: scores of four heads are 512 MiB, and
    plain attention keeps several arrays of that size."""
    command = [sys.executable, str(ROOT / "benchmarks" / "megapixel.py")]
    command += ["--way", "chunked, 4 heads", "--size", "256"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert not run.returncode, run.stderr[-2000:]
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["peak"] - found["before"] < 0.8, found  # GiB; plain takes 2.3
