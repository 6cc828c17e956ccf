import keras
import numpy as np
import pytest
from keras import ops

from keras_perceiver.layers import Attention, attention, fused_attention
from keras_perceiver.layers.fused_attention import can_fuse
from tests.gradients import assert_gradients_equal, layer_gradients


def to_numpy(x):
    return ops.convert_to_numpy(x)


def normal(*shape, seed=0, offset=0.0):
    return (np.random.default_rng(seed).standard_normal(shape) + offset).astype("float32")


@pytest.mark.parametrize("num_heads", (1, 2, 5))
@pytest.mark.parametrize("n, m", ((1, 1), (7, 7), (7, 13), (13, 1)))
def test_fused_attention_is_attention(num_heads, n, m):
    q, k, v = (normal(3, rows, 8 * num_heads, seed=i) for i, rows in enumerate((n, m, m)))
    v += 100.0  # an offset that weights which do not sum to 1 would show
    found = fused_attention.fused_attention(*map(ops.convert_to_tensor, (q, k, v)), num_heads)
    q, k, v = (x.reshape(3, -1, num_heads, 8).transpose(0, 2, 1, 3) for x in (q, k, v))
    weights = np.exp(q @ k.transpose(0, 1, 3, 2))
    wanted = (weights / weights.sum(-1, keepdims=True)) @ v
    wanted = wanted.transpose(0, 2, 1, 3).reshape(3, n, -1)
    on_cpu = not fused_attention.on_gpu(ops.convert_to_tensor(q))  # a GPU rounds to TF32
    tolerance = 1e-5 if on_cpu else 3e-3
    np.testing.assert_allclose(to_numpy(found), wanted, rtol=tolerance, atol=tolerance)


@pytest.fixture
def gpu(monkeypatch):
    """Pretends that there is a GPU, and counts the calls of the fused kernel."""
    calls = []

    def counted(*args):
        calls.append(args)
        return fused_attention.fused_attention(*args)

    monkeypatch.setattr(fused_attention, "on_gpu", lambda x: True)
    monkeypatch.setattr(attention, "fused_attention", counted)
    return calls


def far_off_layer(**kwargs):
    """An attention layer in half precision, and far-off inputs of an odd length."""
    sizes = {"num_heads": 4, "qk_channels": 32, "dtype": "mixed_bfloat16", **kwargs}
    return Attention(**sizes), normal(2, 13, 32, offset=3.0)


def test_the_layer_gives_the_same_outputs_and_gradients(gpu):
    layer, x = far_off_layer()
    layer.build(x.shape, x.shape)

    def output(fused):
        def call(x):
            found = layer(x, x, return_attention_scores=not fused)
            return ops.cast(found if fused else found[0], "float32")

        return call

    for compared in (
        lambda fused: {"outputs": to_numpy(output(fused)(x))},
        lambda fused: layer_gradients(output(fused), [x], layer.trainable_variables),
    ):
        gpu.clear()
        found = compared(fused=True)
        assert gpu
        gpu.clear()
        wanted = compared(fused=False)
        assert not gpu
        assert_gradients_equal(found, wanted, tolerance=0.05)


@pytest.mark.parametrize("dtype", ("mixed_bfloat16", "mixed_float16", "bfloat16"))
def test_many_scores_are_fused_rather_than_chunked(gpu, dtype, monkeypatch):
    monkeypatch.setattr("keras_perceiver.layers.ways.MANY_SCORES", 10)
    layer, x = far_off_layer(dtype=dtype)
    layer(x, x)
    assert len(gpu) == 1


@pytest.mark.parametrize(
    "sizes, call",
    (
        ({"dtype": "float32"}, {}),
        ({"v_channels": 64}, {}),
        ({"qk_channels": 48}, {}),  # 12 channels a head
        ({"qk_channels": 4 * 264}, {}),
        ({"chunked": True}, {}),
        ({"dropout": 0.5}, {"training": True}),
        ({}, {"value_mask": np.ones((2, 13), "bool")}),
        ({}, {"return_attention_scores": True}),
    ),
)
def test_what_no_kernel_computes_is_not_fused(gpu, sizes, call):
    layer, x = far_off_layer(**sizes)
    layer(x, x, **call)
    assert not gpu


def test_dropout_is_fused_outside_training(gpu):
    layer, x = far_off_layer(dropout=0.5)
    layer(x, x, training=False)
    assert len(gpu) == 1


def test_nothing_is_fused_on_a_cpu():
    if keras.backend.backend() == "jax" and "cpu" not in keras.distribution.list_devices()[0]:
        pytest.skip("needs a machine without a GPU")
    assert not can_fuse(ops.zeros((1, 8, 64), "bfloat16"), 64, 8)


def test_a_tpu_is_not_used(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    for devices, wanted in ((["tpu:0"], False), (["gpu:0"], True), (["cuda:0"], True)):
        monkeypatch.setattr(keras.distribution, "list_devices", lambda devices=devices: devices)
        assert can_fuse(keras.KerasTensor((1, 8, 64), "bfloat16"), 64, 8) is wanted
