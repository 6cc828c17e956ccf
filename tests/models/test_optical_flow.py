"""Tiles of a larger image, put together again."""

import numpy as np
import pytest

import keras_perceiver as kp


class OfPosition:
    """Stands for a model: the flow of a pixel is its first frame's red and green."""

    input_shape = (None, 2, 11, 13, 3)

    def predict_on_batch(self, frames):
        assert frames.shape[1:] == (2, 11, 13, 3)
        assert np.abs(frames).max() <= 1
        return frames[:, 0, :, :, :2]


@pytest.mark.parametrize("shape", [(11, 13), (23, 29), (11, 31), (40, 13)])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_tiles_are_put_back_in_place(shape, batch_size):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3))
    flow = kp.predict_flow(OfPosition(), image, image, min_overlap=3, batch_size=batch_size)
    np.testing.assert_allclose(flow, image[..., :2] / 255 * 2 - 1, atol=1e-6)


class OfTile(OfPosition):
    """The flow of a pixel is how often it was asked before: tells the tiles apart."""

    def __init__(self):
        self.calls = 0

    def predict_on_batch(self, frames):
        self.calls += 1
        return np.full((1, 11, 13, 2), float(self.calls))


def test_overlaps_are_weighted_by_the_distance_to_the_edge():
    image = np.zeros((11, 20, 3))
    flow = kp.predict_flow(OfTile(), image, image, min_overlap=6)[5, :, 0]
    np.testing.assert_allclose(flow[:7], 1)
    np.testing.assert_allclose(flow[13:], 2)
    first = np.minimum(13 - np.arange(7, 13), 6)  # of the middle row: 6 to the upper edge
    second = np.minimum(np.arange(7, 13) - 7 + 1, 6)
    np.testing.assert_allclose(flow[7:13], (first + 2 * second) / (first + second), atol=1e-6)


def test_a_model_on_an_odd_size():
    model = kp.build_optical_flow(
        8, 10, num_bands=4, num_latents=3, latent_dim=8, num_self_attends_per_block=1
    )
    images = np.random.default_rng(0).integers(0, 256, (2, 13, 23, 3))
    head = model.get_layer("decoder").get_layer("flow_head").output_layer
    assert np.abs(kp.predict_flow(model, *images, min_overlap=3)).max() == 0  # starts from zero
    head.bias.assign([5.0, -10.0])
    flow = kp.predict_flow(model, *images, min_overlap=3)
    assert flow.shape == (13, 23, 2)
    np.testing.assert_allclose(flow, np.broadcast_to([1.0, -2.0], flow.shape), atol=1e-6)  # x 0.2


SMALL = {"num_bands": 4, "num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}


@pytest.mark.parametrize("height, width", [(8, 12), (9, 11)])
def test_tiles_of_a_model_with_upsampling(height, width):
    """Also if the frames are not divisible by the stride of the grid."""
    model = kp.build_optical_flow(height, width, stem="conv", stem_channels=4, **SMALL)
    assert model.input_descriptions["frames"].grid == (-(-height // 4), 3)
    images = np.random.default_rng(0).integers(0, 256, (2, 13, 23, 3))
    upsampling = model.get_layer("decoder").get_layer("flow_upsampling")
    assert np.abs(kp.predict_flow(model, *images, min_overlap=3)).max() == 0  # starts from zero
    upsampling.value_layer.bias.assign([5.0, -10.0])
    weight = upsampling.weight_layer
    weight.kernel.assign(np.zeros(weight.kernel.shape))
    weight.bias.assign(np.repeat(np.eye(9)[4] * 1e4, 16))  # each cell itself: also at the edge
    flow = kp.predict_flow(model, *images, min_overlap=3)
    assert flow.shape == (13, 23, 2)
    np.testing.assert_allclose(flow, np.broadcast_to([4.0, -8.0], flow.shape), atol=1e-5)  # x 0.8


def test_arguments_of_the_variant_are_passed_on():
    model = kp.build_optical_flow(8, 12, stem="conv", stem_norm="group", scale=0.3, **SMALL)
    frames = model.input_descriptions["frames"]
    assert (frames.stem_name, frames.stem_norm, frames.stem_channels) == ("conv", "group", 64)
    upsampling = model.get_layer("decoder").get_layer("flow_upsampling")
    assert (upsampling.stride, upsampling.scale) == (4, pytest.approx(1.2))
    assert model.get_layer("decoder").get_layer("flow_head").output_dim == 64
    fine = kp.build_optical_flow(3, 5, upsampling="convex", stem_channels=4, **SMALL)
    assert fine.get_layer("decoder").get_layer("flow_upsampling").stride == 1


@pytest.mark.parametrize(
    "first, second, options, message",
    [
        ((9, 20, 3), (9, 20, 3), {}, "`first` must be at least as large"),
        ((20, 20, 3), (20, 21, 3), {}, "`first` and `second` must both have shape"),
        ((20, 20), (20, 20), {}, "`first` and `second` must both have shape"),
        ((20, 20, 3), (20, 20, 3), {"min_overlap": 11}, "`min_overlap` must be at least 0"),
    ],
)
def test_bad_arguments(first, second, options, message):
    with pytest.raises(ValueError, match=message):
        kp.predict_flow(OfPosition(), np.zeros(first), np.zeros(second), **options)


@pytest.mark.parametrize("name", ["first", "second"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_images_that_are_not_finite(name, bad):
    images = {"first": np.zeros((11, 20, 3)), "second": np.zeros((11, 20, 3))}
    images[name][2, 3, 1] = bad
    message = rf"`{name}` must be finite numbers. Received: {bad} at index \(2, 3, 1\)"
    with pytest.raises(ValueError, match=message):
        kp.predict_flow(OfPosition(), **images, min_overlap=3)


def test_resolution_and_scale_are_those_asked_for():
    """Positions with the frequencies of that resolution, and flow that many times as large."""
    sizes = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1, "compile": False}
    sizes["num_bands"] = 3
    models = [
        kp.build_optical_flow(
            4, 5, stem_channels=4, max_resolution=resolution, scale=scale, **sizes
        )
        for resolution, scale in ((None, 1.0), (None, 3.0), ((7, 11), 1.0))
    ]
    random = np.random.default_rng(0)
    weights = [random.normal(size=weight.shape) for weight in models[0].weights]
    for model in models:
        model.set_weights(weights)
    frames = random.normal(size=(2, 2, 4, 5, 3)).astype("float32")
    usual, scaled, other = (np.asarray(model(frames)) for model in models)
    np.testing.assert_allclose(scaled, 3.0 * usual, rtol=1e-5, atol=1e-5)
    assert np.abs(other - usual).max() > 1e-3
    assert models[2].input_descriptions["frames"].make_fourier().max_resolution == (7, 11)
