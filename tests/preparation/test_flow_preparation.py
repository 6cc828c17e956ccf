"""Two images become tiles, and the flow of tiles becomes that of images."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

FlowPreparation = kp.preparation.FlowPreparation


def images(*shape):
    return np.random.default_rng(0).integers(0, 256, (2, *shape, 3)).astype("uint8")


def test_the_published_sizes():
    """Sintel, 436 x 1024: six tiles of 368 x 496, row by row."""
    first, second = images(436, 1024)
    tiles = FlowPreparation()(first, second)
    assert tiles.shape == (6, 2, 368, 496, 3) and tiles.dtype == "float32"
    corners = [(y, x) for y in (0, 68) for x in (0, 476, 528)]
    for tile, (y, x) in zip(tiles, corners):
        for frame, image in zip(tile, (first, second)):
            wanted = image[y : y + 368, x : x + 496] / 255 * 2 - 1
            np.testing.assert_allclose(frame, wanted, atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 7), (11, 13), (5, 23), (17, 7)])
def test_a_flow_comes_back_as_it_was(shape):
    """The flow of a pixel is its first frame's red and its second frame's green."""
    prepare = FlowPreparation(5, 7, min_overlap=2)
    first, second = images(3, *shape)
    tiles = np.asarray(prepare(first, second))
    flows = np.stack([tiles[:, 0, ..., 0], tiles[:, 1, ..., 1]], axis=-1)
    answers = prepare.readable(flows, size=shape)
    assert len(answers) == 3
    for answer, one, other in zip(answers, first, second):
        wanted = np.stack([one[..., 0], other[..., 1]], axis=-1) / 255 * 2 - 1
        np.testing.assert_allclose(answer["flow"], wanted, atol=1e-6)
        np.testing.assert_array_equal(
            answer["picture"], kp.preparation.flow_picture(answer["flow"])
        )


def test_it_is_what_predict_flow_does():
    model = kp.build_optical_flow(
        8, 10, num_bands=4, num_latents=3, latent_dim=8, num_self_attends_per_block=1
    )
    head = model.get_layer("decoder").get_layer("flow_head").output_layer
    head.kernel.assign(np.random.default_rng(1).normal(size=head.kernel.shape))
    first, second = images(13, 23)
    prepare = FlowPreparation(8, 10, min_overlap=3)
    (answer,) = prepare.readable(model(prepare(first, second)), size=(13, 23))
    wanted = kp.predict_flow(model, first, second, min_overlap=3)
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_allclose(answer["flow"], wanted, atol=1e-5)


def test_pixels_of_any_kind_give_the_same(tmp_path):
    prepare = FlowPreparation(5, 7, min_overlap=2)
    first, second = images(11, 13)
    wanted = prepare(first, second)
    np.testing.assert_allclose(prepare(first.astype("float64"), second.astype("int32")), wanted)
    np.testing.assert_allclose(prepare(first[None], second[None]), wanted)
    encoded = [tf.io.encode_png(image).numpy() for image in (first, second)]
    np.testing.assert_allclose(prepare(*encoded), wanted)
    for path, data in zip(("a.png", "b.png"), encoded):
        (tmp_path / path).write_bytes(data)
    np.testing.assert_allclose(prepare.from_file(tmp_path / "a.png", tmp_path / "b.png"), wanted)


def test_in_pipelines_and_in_functions_of_open_sizes():
    prepare = FlowPreparation(5, 7, min_overlap=2)
    first, second = images(11, 13)
    wanted = prepare(first, second)
    (tiles,) = tf.data.Dataset.from_tensors((first, second)).map(prepare)
    np.testing.assert_allclose(tiles, wanted)
    spec = tf.TensorSpec((None, None, None, 3), "uint8")

    @tf.function(input_signature=[spec, spec])
    def served(first, second):
        """The sums of both frames' first two colours, as flow."""
        tiles = prepare(first, second)
        return prepare.join(tf.reduce_sum(tiles[..., :2], axis=1), tf.shape(first)[1:3])

    assert served.get_concrete_function().structured_outputs.shape.rank == 4
    for height, width in ((11, 13), (5, 7), (5, 29)):
        first, second = images(2, height, width)
        sums = (first[..., :2] / 127.5 - 1) + (second[..., :2] / 127.5 - 1)
        np.testing.assert_allclose(served(first, second), sums, atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`first` must be at least as large"):
        served(*images(1, 4, 13))
    with pytest.raises(tf.errors.InvalidArgumentError, match="`second` must have the shape of"):
        served(images(1, 11, 13)[0], images(1, 11, 14)[0])


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda prepare: prepare(np.zeros((4, 9, 3)), np.zeros((4, 9, 3))),
            r"`first` must be at least as large as a tile, \(5, 7\). Received: size \(4, 9\)",
        ),
        (
            lambda prepare: prepare(np.zeros((5, 9, 3)), np.zeros((5, 8, 3))),
            r"`second` must have the shape of `first`, \(5, 9, 3\). Received: \(5, 8, 3\)",
        ),
        (lambda prepare: prepare(np.zeros((5, 9)), np.zeros((5, 9))), "`first` must be numbers"),
        (
            lambda prepare: prepare(np.zeros((5, 9, 3)), np.zeros((5, 9, 1))),
            "`second` must be numbers from 0 to 255",
        ),
        (lambda prepare: prepare("a.png", b""), "`first` must be .* `from_file` takes a path"),
        (lambda prepare: prepare.from_file("", "b.png"), "`first` must be a path"),
        (
            lambda prepare: prepare.readable(np.zeros((1, 5, 7, 2)), size=(5, 9)),
            r"`flows` must have shape \(batch \* 2, 5, 7, 2\), .* Received: shape \(1, 5, 7, 2\)",
        ),
        (lambda prepare: prepare.readable(np.zeros((1, 5, 7, 3))), "`flows` must have shape"),
        (lambda prepare: prepare.readable(np.full((1, 5, 7, 2), np.nan)), "`flows` .* finite"),
        (
            lambda prepare: prepare.readable(np.zeros((1, 5, 7, 2)), size=(4, 7)),
            "`size` must be at least that of a tile",
        ),
        (
            lambda prepare: prepare.readable(np.zeros((1, 5, 7, 2)), size=9),
            "`size` must be a tuple",
        ),
        (lambda prepare: FlowPreparation(5, 7, 5), "`min_overlap` must be less than 5"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(FlowPreparation(5, 7, min_overlap=2))


def test_values_out_of_range():
    good, bad = np.zeros((5, 7, 3)), np.full((5, 7, 3), 256.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`second` must be pixel values"):
        FlowPreparation(5, 7, 2)(good, bad)
