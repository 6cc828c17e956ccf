"""Models made and saved by transformers itself, where it is installed: `make test-transformers`."""

import numpy as np
import pytest

import keras_perceiver as kp
from tests.checkpoints.small_models import FAMILIES
from tests.checkpoints.test_from_preset import TOLERANCE, answers

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_what_transformers_saves_gives_what_transformers_computes(family, tmp_path):
    from tests.checkpoints.make_models import CONFIGS, SIZES, draw, run

    architecture, sizes = CONFIGS[family]
    torch.manual_seed(7)
    config = transformers.PerceiverConfig(**{**SIZES, **sizes, "num_latents": 3})
    reference = getattr(transformers, architecture)(config).eval()
    with torch.no_grad():
        for parameter in reference.parameters():  # else all attend evenly, and nothing is seen
            parameter.add_(0.3 * torch.randn_like(parameter))
        reference.save_pretrained(tmp_path)
        inputs = draw(family, np.random.default_rng(3))
        expected = {name: array.numpy() for name, array in run(family, reference, inputs).items()}
    found = answers(kp.from_preset(tmp_path, compile=False), inputs)
    scale = 20 if family == "flow" else 1
    for name, array in found.items():
        largest = np.abs(expected[name]).max()
        np.testing.assert_allclose(
            array,
            scale * expected[name],
            rtol=0,
            atol=scale * max(1, largest) * TOLERANCE.get(family, 1e-5),
        )
