"""The operations that our ways save are those that are not run."""

import keras
import numpy as np
import pytest

import keras_perceiver as kp

SIZES = {
    "num_latents": 5,
    "latent_dim": 12,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "num_cross_attention_heads": 1,
    "num_decoder_heads": 1,
    "compile": False,
}
TWO = {"image": kp.Image(7, 5, 3, num_bands=3), "series": kp.Array((11, 2), num_bands=2)}
CASES = {
    "image": lambda **o: kp.build_classifier(kp.Image(7, 5, 3, num_bands=3), 4, **SIZES, **o),
    "three_times": lambda **o: kp.build_classifier(
        kp.Image(7, 5, 3, num_bands=3), 4, head="mean", num_cross_attends=3, **SIZES, **o
    ),
    "segmenter": lambda **o: kp.build_segmenter(
        kp.Image(7, 5, 3, num_bands=3), 4, num_bands=4, patch_size=2, **SIZES, **o
    ),
    "flow": lambda **o: kp.build_optical_flow(7, 5, stem_channels=6, **SIZES, **o),
}


def counted(model, monkeypatch):
    """Operations of all matrix products of one example, counted as they run."""
    backend, total = keras.src.backend.numpy, [0]
    original = backend.matmul

    def matmul(x1, x2):
        result = original(x1, x2)
        total[0] += 2 * int(np.prod(result.shape)) * int(x1.shape[-1])
        return result

    with monkeypatch.context() as patch:
        patch.setattr(backend, "matmul", matmul)
        model(np.zeros((1, *model.input_shape[1:]), "float32"))
    return total[0]


@pytest.mark.tensorflow
@pytest.mark.parametrize("case", CASES)
def test_what_is_computed_is_what_is_run(case, monkeypatch):
    plain, separable = (CASES[case](attention=way) for way in ("plain", "separable"))
    costs = kp.costs(separable)
    assert costs.ways["encoder"] == "separable" and kp.costs(plain).ways["encoder"] == "plain"
    assert kp.costs(plain).computed_flops == kp.costs(plain).flops == costs.flops
    if case != "three_times":  # there, plain attention makes shared keys and values once
        assert counted(plain, monkeypatch) == costs.flops
    assert counted(separable, monkeypatch) == costs.computed_flops < costs.flops
    assert kp.costs(separable, batch=3).computed_flops == 3 * costs.computed_flops


def test_it_is_told_beside_the_published_computation():
    model = CASES["image"](attention="separable")
    costs = kp.costs(model)
    assert f"({costs.computed_flops / 1e9:.4g} as computed here)" in str(costs)
    described = kp.costs({"inputs": TWO, "outputs": kp.Classes(3)})
    assert described.computed_flops is None and "computed here" not in str(described)
