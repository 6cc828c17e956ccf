"""Inputs on a grid that are masked or may be missing: read once, and asked about in chunks."""

import functools

import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, randomize, to_numpy

SMALL = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "jit_compile": False,
}
CONV = {"stem": "conv", "stem_channels": 5}


def moving_averages(model):
    norm = model.encoder.get_layer("image_inputs").stem_layer.norms[0]
    return to_numpy([norm.moving_mean, norm.moving_variance])


def stepped(outputs, **options):
    """What the moving averages are after one training step, from zeros and ones."""
    image = kp.Image(16, 8, **CONV, **options)
    model = kp.build_perceiver_io({"image": image}, {"out": outputs}, optimizer="sgd", **SMALL)
    kernel = model.encoder.get_layer("image_inputs").stem_layer.convs[0].kernel
    kernel.assign(normal(*kernel.shape))
    raw = {"image": normal(4, 16, 8, 3) + 3.0}
    if image.masked:
        raw["image_mask"] = np.ones((4, 8), bool)
    if image.may_be_missing:
        raw["image_present"] = np.ones((4, 1), bool)
    shape = model.output["out"].shape
    model.run_eagerly = True  # tracing takes far longer than this step
    model.train_on_batch(raw, {"out": np.zeros((4, *shape[1:]), "float32")})
    return moving_averages(model)


@functools.cache
def stepped_by_one_reading():
    return stepped(kp.Values(2))


@pytest.mark.parametrize(
    "outputs, options",
    [
        (kp.Values(2), {"masked": True}),
        (kp.Values(2), {"may_be_missing": True}),
        (kp.Values(2), {"masked": True, "may_be_missing": True}),
        (kp.PerInput(channels=2), {}),
        (kp.PerInput(channels=2), {"masked": True}),
    ],
)
def test_batch_normalisation_takes_one_step(outputs, options):
    for found, expected in zip(stepped(outputs, **options), stepped_by_one_reading()):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_in_training_a_second_reading_is_the_same_as_the_first():
    image = kp.Image(16, 8, **CONV)
    image.build((None, 16, 8, 3))
    raw = normal(4, 16, 8, 3) * 3 + 1
    first, again = to_numpy([image(raw, training=True), image(raw, training=True, repeated=True)])
    np.testing.assert_allclose(first, again, rtol=1e-4, atol=1e-5)


KINDS = {
    "image": (kp.Image, (4, 6), (4, 6, 3), 24),
    "patches": (kp.Image, (4, 6), (4, 6, 3), 6),
    "array": (kp.Array, ((7, 2),), (7, 2), 7),
    "audio": (kp.Audio, (20, 4), (20, 1), 5),
    "frames": (kp.FramePair, (3, 5), (2, 3, 5, 3), 15),
    "frames_conv": (kp.FramePair, (9, 5), (2, 9, 5, 3), 6),
    "video": (kp.Video, (2, 4, 8), (2, 4, 8, 3), 4),
    "learned": (kp.Array, ((7, 2),), (7, 2), 7),
}
OPTIONS = {
    "patches": {"stem": "patches", "patch_size": 2},
    "frames_conv": CONV,
    "learned": {"positions": "learned"},
}


MASKS = [(True, True), (True, False), (False, True)]


@pytest.mark.parametrize(
    "kind, masked, may_be_missing",
    [  # all masks of an image; the others with the slow tests
        pytest.param(kind, *masks, marks=[pytest.mark.slow] * (kind != "image"))
        for kind in KINDS
        for masks in MASKS
    ],
)
def test_decode_in_chunks_equals_the_model(kind, masked, may_be_missing):
    make, arguments, shape, length = KINDS[kind]
    described = make(
        *arguments, masked=masked, may_be_missing=may_be_missing, **OPTIONS.get(kind, {})
    )
    model = randomize(
        kp.build_perceiver_io(
            {"x": described, "other": kp.Labels(3)},
            {"each": kp.PerInput("x", channels=2), "kind": kp.Classes(3)},
            **SMALL,
        )
    )
    raw = {"x": normal(3, *shape), "other": normal(3, 3)}
    if masked:
        raw["x_mask"] = np.random.default_rng(1).random((3, length)) < 0.6
    if may_be_missing:
        raw["x_present"] = np.array([[True], [False], [True]])
    whole = to_numpy(model(raw))["each"]
    found = model.decode(model.encode(raw), "each", inputs=raw, chunk_size=2)
    np.testing.assert_allclose(found, whole, rtol=1e-5, atol=1e-5)


def test_grids_of_open_size_are_decoded_whole():
    image = kp.Image(None, None, max_resolution=8)
    model = randomize(kp.build_perceiver_io({"x": image}, kp.PerInput(channels=2), **SMALL))
    raw = {"x": normal(2, 3, 5, 3)}
    whole = to_numpy(model(raw))
    assert whole.shape == (2, 15, 2)
    found = model.decode(model.encode(raw), inputs=raw, chunk_size=4)
    np.testing.assert_allclose(found, whole, atol=1e-5)
