"""Pictures of what models attend to, of few steps of training."""

import runpy
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, randomize

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
SIZES = {"num_latents": 4, "latent_dim": 8, "num_self_attends_per_block": 1, "compile": False}


def run(name, tmp_path, pictures):
    names = runpy.run_path(str(EXAMPLES / f"{name}.py"))
    names["main"](["--steps", "12", "--figures", str(tmp_path)])
    for picture in pictures:
        pixels = matplotlib.image.imread(tmp_path / f"{picture}.png")[..., :3]
        assert pixels.std() > 0.05, picture


def test_wrongly_read(tmp_path, capsys):
    run("wrongly_read", tmp_path, ["bytes", "table"])
    assert capsys.readouterr().out.count("are read rightly") == 2


def test_look_inside(tmp_path, capsys):
    run("look_inside", tmp_path, ["attention", "latents", "gradients"])
    assert "learns by heart" in capsys.readouterr().out


def test_one_pixel_does_not_pale_the_others():
    beside_gradients = runpy.run_path(str(EXAMPLES / "look_inside.py"))["beside_gradients"]
    inputs = {"image": kp.Image(9, 8, 1, num_bands=2)}
    model = randomize(kp.build_classifier(inputs, 3, **SIZES), stddev=0.3)
    images = normal(2, 9, 8, 1)
    figure = beside_gradients(model, images)
    added = kp.visualization.integrated_gradients(model, {"image": images})["image"]
    for axes in figure.axes[2:4]:
        drawn = axes.images[0].get_array()
        assert (drawn > axes.images[0].get_clim()[1]).sum() == 1
    for axes, one in zip(figure.axes[4:], added):
        (low, high), drawn = axes.images[0].get_clim(), np.abs(axes.images[0].get_array())
        np.testing.assert_allclose(drawn, np.abs(one), rtol=1e-3, atol=1e-6)
        assert low == -high and 1 <= (drawn > high).sum() <= 2
