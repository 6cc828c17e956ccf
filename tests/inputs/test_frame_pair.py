"""Two frames through the convolution of `Image`."""

import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, randomize, to_numpy

DEFAULTS = {"neighbourhood": 3, "stem_channels": 64, "stem": "neighbourhoods"}


@pytest.mark.parametrize("height, width", [(1, 1), (8, 12), (7, 13), (17, 4)])
@pytest.mark.parametrize("options", [{}, {"stem_norm": "group"}, {"patch_size": 16}])
def test_it_is_the_stem_of_images_on_both_frames(height, width, options):
    options = {"stem": "conv", "stem_channels": 5, "num_bands": 3, **options}
    pair, image = kp.FramePair(height, width, 2, **options), kp.Image(height, width, 4, **options)
    frames = normal(2, 2, height, width, 2)
    both = np.moveaxis(frames, 1, 3).reshape(2, height, width, 4)  # channels: frame, colour
    pair.build((None, 2, height, width, 2))
    image.build((None, height, width, 4))
    image.set_weights(randomize(pair).get_weights())
    assert [w.shape for w in pair.weights] == [w.shape for w in image.weights]
    assert pair.grid == image.grid and pair.input_dim == image.input_dim == 5 + 14
    np.testing.assert_array_equal(to_numpy(pair(frames)), to_numpy(image(both)))
    assert pair.cost() == image.cost()
    assert pair.cost().parameters == pair.count_params()


def test_symmetric_padding_is_that_of_images():
    options = {"stem": "conv", "stem_channels": 5, "symmetric_padding": True}
    assert kp.FramePair(37, 22, **options).grid == kp.Image(37, 22, 6, **options).grid == (9, 5)


def test_batch_normalisation_is_updated_once():
    pair = kp.FramePair(8, 12, stem="conv", stem_channels=5)
    frames = 3 * normal(4, 2, 8, 12, 3) + 7
    first = to_numpy(pair(frames, training=True))
    (norm,) = pair.stem_layer.norms
    mean = to_numpy(norm.moving_mean).copy()
    assert np.abs(mean).max() > 0.01
    again = to_numpy(pair(frames, training=True, repeated=True))
    np.testing.assert_allclose(again, first, atol=1e-4)
    np.testing.assert_array_equal(to_numpy(norm.moving_mean), mean)


def test_colours_are_standardised_before_the_convolution():
    raw = 40 * normal(6, 2, 8, 12, 3) + 127
    described = {"stem": "conv", "stem_channels": 5}
    model = kp.build_perceiver_io(
        kp.FramePair(8, 12, normalize=True, **described),
        kp.Flow(hidden_channels=3),
        num_latents=3,
        latent_dim=8,
        num_self_attends_per_block=1,
        num_self_attention_heads=2,
    )
    model.adapt(raw)
    normalizing = model.encoder.get_layer("frames_inputs")
    plain = kp.FramePair(8, 12, **described)
    plain.build((None, 2, 8, 12, 3))
    for own, other in zip(plain.stem_layer.weights, normalizing.stem_layer.weights, strict=True):
        own.assign(other)
    mean, std = raw.mean((0, 1, 2, 3)), raw.std((0, 1, 2, 3))
    wanted = to_numpy(plain((raw - mean) / std))
    np.testing.assert_allclose(to_numpy(normalizing(raw)), wanted, atol=1e-3)


@pytest.mark.parametrize("options", [{}, {"stem": "conv", "patch_size": 16, "stem_norm": "group"}])
def test_config_round_trip(options):
    pair = kp.FramePair(32, 16, num_bands=2, **options)
    config = pair.get_config()
    assert {**DEFAULTS, **options}.items() <= {
        **config,
        "patch_size": config["patch_size"][0],
    }.items()
    assert kp.FramePair.from_config(config).get_config() == config


def test_nothing_new_by_default():
    pair = kp.FramePair(4, 5)
    pair.build((None, 2, 4, 5, 3))
    assert [(w.path.partition("/")[2], tuple(w.shape)) for w in pair.weights] == [
        ("projection/kernel", (54, 64)),
        ("projection/bias", (64,)),
    ]
    assert pair.grid == (4, 5) and pair.stem_layer is None


@pytest.mark.parametrize(
    "options, message",
    [
        ({"stem": "pixels"}, "`stem` must be one of"),
        ({"patch_size": 4}, "`patch_size` must be 1 for stem='neighbourhoods'"),
        ({"stem": "conv", "patch_size": 2}, "`patch_size` must be a power of 4"),
        ({"stem": "conv", "patch_size": (4, 16)}, "`patch_size` must be a power of 4"),
        ({"stem": "conv", "patch_size": (1, 4, 4)}, "`patch_size` must be a tuple of 2"),
        ({"stem": "conv", "stem_norm": "layer"}, "`stem_norm` must be one of"),
        ({"stem": "conv", "symmetric_padding": "no"}, "`symmetric_padding` must be True or False"),
        ({"stem": "conv", "stem_channels": None}, "`stem_channels` must be a whole number"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        kp.FramePair(8, 12, **options)
