"""Each input gives the values the papers' preprocessors give, in their order of channels."""

import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def values(layer, *args, **kwargs):
    return ops.convert_to_numpy(layer(*args, **kwargs))


def features(layer, inputs):
    return values(kp.FourierEncoding(layer.num_bands, layer.max_resolution), inputs)


def test_array_is_values_then_positions_row_by_row():
    layer = kp.Array((3, 5, 2), num_bands=7, max_resolution=(3, 5))
    array = normal(2, 3, 5, 2)
    read = values(layer, array)
    assert read.shape == (2, 15, 2 + 2 * (2 * 7 + 1)) == (2, layer.num_inputs, layer.input_dim)
    np.testing.assert_array_equal(read[..., :2], array.reshape(2, 15, 2))
    np.testing.assert_allclose(read[..., 2:], features(layer, array), atol=1e-6)


def test_positions_may_be_added_projected_learned_or_left_out():
    array = normal(2, 5, 3)
    assert values(kp.Array((5, 3), positions="none"), array).shape == (2, 5, 3)
    layer = kp.Array((5, 3), positions="learned", combine="add")
    read = values(layer, array)
    np.testing.assert_allclose(read, array + ops.convert_to_numpy(layer.encoding.table), atol=1e-6)
    layer = kp.Array((5, 3), combine="add", project_positions=3)
    read = values(layer, array)
    encoded = values(layer.encoding, array)
    kernel = ops.convert_to_numpy(layer.projection.kernel)
    np.testing.assert_allclose(read, array + encoded @ kernel, atol=1e-5)
    layer = kp.Array((5, 3), positions="learned", position_dim=11)
    assert values(layer, array).shape == (2, 5, 3 + 11)


def test_another_size_of_image_at_call_time():
    layer = kp.Image(None, None, 2, num_bands=3, max_resolution=(7, 11))
    small, large = values(layer, normal(1, 7, 11, 2)), values(layer, normal(1, 13, 17, 2))
    assert small.shape == (1, 77, 16) and large.shape == (1, 221, 16)
    np.testing.assert_allclose(small[0, [0, -1], 2:], large[0, [0, -1], 2:], atol=1e-5)


def test_patches_are_row_column_colour():
    layer = kp.Image(6, 10, 3, stem="patches", patch_size=(3, 2), positions="none")
    image = normal(2, 6, 10, 3)
    read = values(layer, image)
    assert read.shape == (2, 2 * 5, 3 * 2 * 3)
    # the second patch of the second row
    np.testing.assert_array_equal(read[1, 6], image[1, 3:6, 2:4].reshape(-1))


def test_video_patches_are_frame_row_column_colour():
    layer = kp.Video(4, 6, 10, 3, patch_size=(2, 3, 5), positions="none")
    video = normal(1, 4, 6, 10, 3)
    read = values(layer, video)
    assert read.shape == (1, 2 * 2 * 2, 2 * 3 * 5 * 3)
    np.testing.assert_array_equal(read[0, -1], video[0, 2:, 3:, 5:].reshape(-1))


def test_pixels_and_conv1x1_step_over_pixels():
    image = normal(1, 7, 11, 3)
    read = values(kp.Image(7, 11, 3, patch_size=3, positions="none"), image)
    np.testing.assert_array_equal(read[0], image[0, ::3, ::3].reshape(-1, 3))
    layer = kp.Image(7, 11, 3, stem="conv1x1", stem_channels=5, patch_size=2, positions="none")
    read = values(layer, image)
    kernel = ops.convert_to_numpy(layer.stem_layer.projection.kernel)
    np.testing.assert_allclose(read[0], image[0, ::2, ::2].reshape(-1, 3) @ kernel, atol=1e-5)


@pytest.mark.parametrize(
    "symmetric_padding, side, grid", [(False, 224, 56), (True, 224, 55), (False, 33, 9)]
)
def test_conv_stem_sizes(symmetric_padding, side, grid):
    layer = kp.Image(side, side, stem="conv", symmetric_padding=symmetric_padding)
    assert layer.grid == (grid, grid)
    if side < 100:
        read = values(layer, normal(1, side, side, 3))
        assert read.shape == (1, grid * grid, layer.input_dim)


def test_conv_stem_reads_video_frame_by_frame():
    layer = kp.Video(3, 16, 16, stem="conv", stem_channels=5, positions="none")
    video = normal(2, 3, 16, 16, 3)
    read = values(layer, video).reshape(2, 3, 16, 5)
    frame = values(layer, np.repeat(video[:, 1:2], 3, axis=1)).reshape(2, 3, 16, 5)
    np.testing.assert_allclose(read[:, 1], frame[:, 0], atol=1e-5)


def test_audio_patches_and_mel_frames():
    sound = normal(2, 24, 2)
    read = values(kp.Audio(24, 6, channels=2, positions="none"), sound)
    np.testing.assert_array_equal(read, sound.reshape(2, 4, 12))
    layer = kp.Audio(1600, 80, stem="mel", sampling_rate=8000, mel_bins=13)
    tone = np.sin(2 * np.pi * 1000 * np.arange(1600) / 8000).astype("float32")[None, :, None]
    read = values(layer, tone)
    assert read.shape == (1, layer.num_inputs, layer.input_dim)
    high = np.sin(2 * np.pi * 3000 * np.arange(1600) / 8000).astype("float32")[None, :, None]
    loudest = [values(layer, x)[0, 5:15, :13].mean(0).argmax() for x in (tone, high)]
    assert loudest[0] < loudest[1]


def test_frame_pair_channels_are_frame_row_column_colour():
    layer = kp.FramePair(5, 7, 2, stem_channels=36, positions="none")
    frames = normal(1, 2, 5, 7, 2)
    layer.build((None, 2, 5, 7, 2))
    layer.projection_in.kernel.assign(np.eye(36))
    read = values(layer, frames).reshape(5, 7, 2, 3, 3, 2)
    np.testing.assert_allclose(read[2, 3], frames[0, :, 1:4, 2:5], atol=1e-6)
    np.testing.assert_allclose(read[0, 0, :, 0], 0, atol=1e-6)  # beyond the edge


def test_text_is_embedding_plus_position():
    layer = kp.Text(7, vocab_size=11, dim=5, dynamic_length=True)
    ids = np.array([[3, 10, 3]], "int32")
    read = values(layer, ids)
    table, positions = (ops.convert_to_numpy(w) for w in layer.weights)
    if table.shape[0] == 7:
        table, positions = positions, table
    np.testing.assert_allclose(read[0], table[ids[0]] + positions[:3], atol=1e-6)
    logits = values(layer, read, reverse=True)
    np.testing.assert_allclose(logits, read @ table.T, atol=1e-4)
    with pytest.raises(ValueError, match="at most 7 long"):
        layer(np.zeros((1, 8), "int32"))


def test_points_have_coordinates_of_their_own():
    layer = kp.Points(5, num_axes=2, num_features=3, num_bands=4, max_resolution=9)
    points, extra = np.tanh(normal(2, 5, 2)), normal(2, 5, 3)
    read = values(layer, points, features=extra)
    assert read.shape == (2, 5, 3 + 2 * 9)
    np.testing.assert_array_equal(read[..., :3], extra)
    np.testing.assert_allclose(read[..., 3:5], points, atol=1e-6)
    assert np.abs(read[0, :, 3:] - read[1, :, 3:]).max() > 0.1


def test_entities_and_labels_have_no_positions():
    entities = normal(2, 5, 3)
    np.testing.assert_array_equal(values(kp.Entities(5, 3), entities), entities)
    assert values(kp.Entities(5, 3, project_features=7), entities).shape == (2, 5, 7)
    label = normal(2, 5)
    np.testing.assert_array_equal(values(kp.Labels(5), label), label[:, None])


@pytest.mark.parametrize(
    "layer, raw",
    [
        (kp.Array((3, 5, 2)), normal(2, 3, 5, 2)),
        (kp.Array((5, 2), positions="learned"), normal(2, 5, 2)),
        (kp.Image(8, 8, stem="patches", patch_size=2), normal(2, 8, 8, 3)),
        (kp.Audio(28, 4), normal(2, 28, 1)),
        (kp.FramePair(3, 5), normal(2, 2, 3, 5, 3)),
        (kp.FramePair(9, 5, stem="conv", stem_channels=4), normal(2, 2, 9, 5, 3)),
        (kp.Text(5, dim=3), np.arange(10, dtype="int32").reshape(2, 5)),
        (kp.Points(5, num_bands=3), np.tanh(normal(2, 5, 3))),
        (kp.Entities(5, 3, project_features=2), normal(2, 5, 3)),
    ],
)
def test_some_inputs_by_index_equal_those_of_all(layer, raw):
    everything = values(layer, raw)
    indices = np.array([[4, 0, 2], [1, 1, 3]], "int32")
    some = values(layer, raw, indices=ops.convert_to_tensor(indices))
    wanted = np.stack([rows[i] for rows, i in zip(everything, indices)])
    np.testing.assert_allclose(some, wanted, atol=1e-5)


SMALL = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1, "compile": False}


def test_padding_tokens_masked_entities_and_missing_modalities_change_nothing():
    inputs = {
        "text": kp.Text(5, dim=6, may_be_missing=True),
        "set": kp.Entities(4, 3),
        "sound": kp.Audio(12, 4, may_be_missing=True),
    }
    model = kp.build_classifier(inputs, 2, **SMALL)
    raw = {
        "text": np.array([[9, 8, 0, 0, 0], [7, 7, 7, 7, 7]], "int32"),
        "text_present": np.array([[True], [False]]),
        "set": normal(2, 4, 3),
        "set_mask": np.array([[True, False, True, False], [True, True, True, True]]),
        "sound": normal(2, 12, 1),
        "sound_present": np.array([[False], [True]]),
    }
    before = values(model, raw)
    changed = {**raw, "text": raw["text"].copy(), "set": raw["set"].copy()}
    changed["text"][1] = 11  # a missing text
    changed["set"][0, 1] = 100  # an unused slot
    changed["sound"] = np.concatenate([raw["sound"][:1] + 5, raw["sound"][1:]])  # missing sound
    np.testing.assert_allclose(values(model, changed), before, atol=1e-6)
    changed["set"][0, 0] = 100
    assert np.abs(values(model, changed)[0] - before[0]).max() > 1e-4
    table = model.get_layer("encoder").get_layer("text_inputs").table
    padding = ops.convert_to_numpy(table).copy()
    padding[0] += 100  # the embedding of "no token"
    table.assign(padding)
    np.testing.assert_allclose(values(model, raw), before, atol=1e-6)


def test_everything_missing_reads_nothing():
    """No input may be attended: the attention output is zero and the answer finite."""
    model = kp.build_classifier(kp.Entities(4, 3), 2, **SMALL)
    raw = {"entities": normal(1, 4, 3), "entities_mask": np.zeros((1, 4), bool)}
    one, other = values(model, raw), values(model, {**raw, "entities": normal(1, 4, 3) * 9})
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, other)


def test_mask_tokens_replace_inputs_with_their_probability():
    layer = kp.CommonWidth(mask_probs={"label": 1.0, "array": 0.3}, seed=1)
    arrays = {"array": normal(2, 500, 7), "label": normal(2, 1, 4)}
    joined = values(layer, {k: ops.convert_to_tensor(v) for k, v in arrays.items()})
    tokens = {k: ops.convert_to_numpy(v)[0] for k, v in layer.mask_tokens.items()}
    np.testing.assert_allclose(joined[:, 500], np.stack([tokens["label"]] * 2), atol=1e-6)
    is_token = np.isclose(joined[:, :500], tokens["array"], atol=1e-6).all(-1)
    assert 0.2 < is_token.mean() < 0.4


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: kp.Image(6, 7, stem="patches", patch_size=4), "divisible by `patch_size`"),
        (lambda: kp.Image(8, 8, stem="convolution"), "`stem` must be one of"),
        (lambda: kp.Image(8, 8, stem="conv", patch_size=3), "`patch_size` must be a power of 4"),
        (lambda: kp.Image(8, 8, stem_channels=5), "`stem_channels` must be None"),
        (lambda: kp.Image(0, 8), "`height` must be"),
        (lambda: kp.Array((3,)), "`shape` must have one or more grid axes"),
        (lambda: kp.Array((3, 2), positions="sine"), "`positions` must be one of"),
        (lambda: kp.Array((3, 2), num_bands=0), "`num_bands` must be a whole number"),
        (lambda: kp.Audio(30, 4), "`num_samples` must be divisible by `samples_per_patch`"),
        (lambda: kp.FramePair(8, 8, neighbourhood=2), "`neighbourhood` must be odd"),
        (lambda: kp.Text(0), "`max_length` must be a whole number"),
        (lambda: kp.Points(5, num_axes=0), "`num_axes` must be a whole number"),
        (lambda: kp.Entities(5, 0), "`num_features` must be a whole number"),
        (lambda: kp.Labels(0), "`num_classes` must be a whole number"),
        (lambda: kp.build_classifier(kp.Image(None, None), 2), "`max_resolution` must be given"),
        (lambda: kp.build_classifier({}, 2), "`inputs` must be"),
        (lambda: kp.build_classifier({"an image": (4, 4, 1)}, 2), "names in `inputs`"),
        (
            lambda: kp.build_classifier({"latents": (4, 4, 1)}, 2),
            "must not be one that the model uses",
        ),
        (
            lambda: kp.build_classifier({"a": (4, 1), "b": kp.Labels(2)}, 2, mask_probs={"c": 0.5}),
            "`mask_probs` must name inputs",
        ),
        (
            lambda: kp.build_classifier({"a": (4, 1), "b": kp.Labels(2)}, 2, mask_probs={"a": 1.5}),
            "mask_probs",
        ),
    ],
)
def test_bad_descriptions(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"text": None}, r"without \['text'\]"),
        ({"text": np.ones((2, 5), "float32")}, "must be whole numbers"),
        ({"text": np.ones((2, 6), "int32")}, r"must have shape \(batch, 5\)"),
        ({"image": np.ones((2, 4, 4), "float32")}, r"must have shape \(batch, 4, 4, 3\)"),
        ({"image": np.full((2, 4, 4, 3), "x")}, "image"),
        ({"set_mask": np.ones((2, 9), bool)}, "must be as long as"),
        ({"set_mask": np.ones((2, 4, 1), bool)}, "must have shape"),
        ({"set_mask": np.ones((2, 4), "float32")}, "must be booleans"),
    ],
)
def test_bad_values(change, message):
    inputs = {"text": kp.Text(5, dim=6), "image": kp.Image(4, 4), "set": kp.Entities(None, 3)}
    model = kp.build_classifier(inputs, 2, **SMALL)
    raw = {
        "text": np.ones((2, 5), "int32"),
        "image": normal(2, 4, 4, 3),
        "set": normal(2, 4, 3),
        "set_mask": np.ones((2, 4), bool),
    }
    raw = {k: v for k, v in {**raw, **change}.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        model(raw)
