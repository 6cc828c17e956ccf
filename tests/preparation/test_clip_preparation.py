"""Videos become clips of frames, sound and label, and clips become a video again."""

import wave

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

ClipPreparation = kp.preparation.ClipPreparation


def small(**arguments):
    return ClipPreparation(
        **{
            "frames": 3,
            "height": 4,
            "width": 4,
            "num_samples": 6,
            "num_classes": 5,
            "sampling_rate": 8000,
            **arguments,
        }
    )


def video(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype("uint8")


def sound(*shape):
    return np.random.default_rng(1).uniform(-1, 1, shape).astype("float32")


def test_the_published_sizes():
    clip = ClipPreparation()(np.full((17, 2, 3, 3), 51, "uint8"), sound(30721, 2))
    shapes = {key: tuple(value.shape) for key, value in clip.items()}
    assert shapes == {
        "video": (2, 16, 224, 224, 3),
        "audio": (2, 30720, 1),
        "label": (2, 700),
    }
    np.testing.assert_allclose(clip["video"], np.full(shapes["video"], 0.2), atol=1e-6)
    assert not np.any(clip["label"])
    np.testing.assert_array_equal(clip["audio"][1, 1:], np.zeros((30719, 1)))


@pytest.mark.parametrize("height, width", [(5, 9), (9, 5), (6, 9), (8, 5), (7, 7), (4, 9)])
def test_frames_are_square_bilinear_and_of_8_bits(height, width):
    frames = video(3, height, width)
    side = min(height, width)
    top, left = height // 2 - side // 2, width // 2 - side // 2
    window = frames[:, top : top + side, left : left + side]
    wanted = np.floor(tf.image.resize(window, (4, 4), "bilinear").numpy() + 0.5) / 255
    np.testing.assert_allclose(small()(frames)["video"][0], wanted, atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 6, 7])
def test_clips_do_not_overlap_and_the_last_is_filled_up(length):
    frames, samples = video(length, 4, 4), sound(2 * length, 2)
    clip = small()(frames, samples)
    clips = -(-length // 3)
    joined = np.reshape(clip["video"], (clips * 3, 4, 4, 3)) * 255
    np.testing.assert_allclose(joined[:length], frames, atol=1e-4)
    np.testing.assert_allclose(joined[length:], frames[-1:].repeat(clips * 3 - length, 0))
    joined = np.reshape(clip["audio"], (-1,))
    np.testing.assert_array_equal(joined[: 2 * length], samples[:, 0])
    np.testing.assert_array_equal(joined[2 * length :], 0)


def test_sound_of_any_kind():
    frames, samples = video(3, 4, 4), sound(6, 2)
    wanted = samples[None, :, :1]
    prepare = small()
    np.testing.assert_array_equal(prepare(frames, samples)["audio"], wanted)
    np.testing.assert_array_equal(prepare(frames, samples[:, 0])["audio"], wanted)
    whole = np.round(samples * 32767).astype("int16")
    np.testing.assert_allclose(prepare(frames, whole)["audio"], wanted, atol=1e-4)
    encoded = tf.audio.encode_wav(samples, 8000)
    np.testing.assert_allclose(prepare(frames, encoded)["audio"], wanted, atol=1e-4)
    np.testing.assert_array_equal(prepare(frames, np.tile(samples, (5, 1)))["audio"], wanted)
    np.testing.assert_array_equal(prepare(frames)["audio"], np.zeros((1, 6, 1)))
    np.testing.assert_array_equal(prepare(frames, sound(0, 2))["audio"], np.zeros((1, 6, 1)))


def test_a_batch_of_videos():
    frames, samples = video(2, 4, 5, 7), sound(2, 8, 2)
    clips = small()(frames, samples)
    for i in range(2):
        for key, value in small()(frames[i], samples[i]).items():
            np.testing.assert_allclose(clips[key][2 * i : 2 * i + 2], value, atol=1e-6)
    np.testing.assert_array_equal(small()(frames, samples[..., 0])["audio"], clips["audio"])


def test_a_video_comes_back_as_it_was(tmp_path):
    prepare = small(class_names=list("abcde"))
    frames, samples = video(4, 4, 4), sound(8, 1)
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    for path, frame in zip(paths, frames):
        path.write_bytes(tf.io.encode_png(frame).numpy())
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    clips = prepare.from_file(paths, tmp_path / "sound.wav")
    label = np.log([[0.1, 0.2, 0.4, 0.2, 0.1], [0.1, 0.6, 0.1, 0.1, 0.1]])
    (answer,) = prepare.readable({**clips, "label": label}, num_frames=4, top=2)
    np.testing.assert_array_equal(answer["video"], frames)
    assert answer["audio"].dtype == "int16" and answer["audio"].shape == (8, 1)
    np.testing.assert_allclose(answer["audio"] / 32767, samples, atol=1e-4)
    assert [name for name, _ in answer["label"]] == ["b", "c"]
    np.testing.assert_allclose([p for _, p in answer["label"]], [0.4, 0.25], atol=1e-6)


def test_several_videos_and_values_out_of_range():
    outputs = {"video": np.zeros((4, 3, 4, 4, 3)), "audio": np.zeros((4, 6, 1))}
    outputs["video"][2:], outputs["audio"][2:] = 1.5, -1.5
    first, second = small().readable(outputs, num_videos=2)
    assert list(second) == ["video", "audio"] and second["video"].shape == (6, 4, 4, 3)
    assert (first["video"] == 0).all() and (second["video"] == 255).all()
    assert (first["audio"] == 0).all() and (second["audio"] == -32767).all()
    assert small().readable(outputs, num_videos=2, num_frames=1)[0]["audio"].shape == (2, 1)


def test_in_pipelines_and_in_functions_of_open_sizes():
    prepare = small()
    frames, samples = video(4, 5, 7), sound(8, 2)
    wanted = prepare(frames, samples)
    (mapped,) = tf.data.Dataset.from_tensors((frames, samples)).map(prepare)
    specs = [tf.TensorSpec((None,) * 4, "uint8"), tf.TensorSpec((None, None), "float32")]
    pixels = tf.function(prepare, input_signature=specs)
    specs = [tf.TensorSpec((None,), "string"), tf.TensorSpec((), "string")]
    served = tf.function(prepare, input_signature=specs)
    shapes = {
        k: tuple(v.shape) for k, v in served.get_concrete_function().structured_outputs.items()
    }
    assert shapes == {"video": (None, 3, 4, 4, 3), "audio": (None, 6, 1), "label": (None, 5)}
    encoded = [tf.io.encode_png(frame).numpy() for frame in frames]
    from_bytes = served(encoded, tf.audio.encode_wav(samples, 8000))
    for key, value in wanted.items():
        np.testing.assert_allclose(mapped[key], value, atol=1e-6)
        np.testing.assert_allclose(pixels(frames, samples)[key], value, atol=1e-6)
        np.testing.assert_allclose(from_bytes[key], value, atol=1e-4)


def test_a_model_answers_as_it_was_asked():
    inputs = {
        "video": kp.Video(3, 4, 4, num_bands=2),
        "audio": kp.Audio(6, samples_per_patch=2, num_bands=2),
        "label": kp.Labels(5),
    }
    tiny = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}
    model = kp.build_autoencoder(inputs, num_self_attention_heads=2, **tiny)
    (answer,) = small().readable(model(small()(video(4, 5, 7), sound(8))), num_frames=4)
    assert answer["video"].shape == (4, 4, 4, 3) and answer["audio"].shape == (8, 1)
    np.testing.assert_allclose(sum(p for _, p in answer["label"]), 1, atol=1e-6)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: small()(video(4, 5)), "`video` must be numbers from 0 to 255"),
        (lambda: small()(video(3, 4, 5)[..., :1]), "`video` must be numbers from 0 to 255"),
        (lambda: small()(b"png"), "`video` must be a vector of strings"),
        (lambda: small()(video(3, 4, 5), sound(2, 6, 1)), "`audio` must be floats in .* int16"),
        (lambda: small()(video(3, 4, 5), np.zeros(6, "int32")), "`audio` must be .* int32"),
        (lambda: small()(video(3, 4, 5), {}), "`audio` must be samples"),
        (lambda: small(class_names=["a"]), "`class_names` must be 5 names"),
        (lambda: small().from_file([]), "`frames` must be a path or a list of paths"),
        (lambda: small().readable({"image": 3}), "`outputs` must be a dict with any of"),
        (lambda: small().readable({}), "`outputs` must be a dict with any of"),
        (
            lambda: small().readable({"audio": np.zeros((3, 6, 1))}, num_videos=2),
            r"`outputs\['audio'\]` must have shape \(num_videos \* clips, 6, 1\), where num_v.*=2",
        ),
        (
            lambda: small().readable({"audio": np.zeros((2, 6, 1)), "label": np.zeros((1, 5))}),
            "`outputs` must have the same number of clips .* {'audio': 2, 'label': 1}",
        ),
        (
            lambda: small().readable({"audio": np.full((1, 6, 1), np.inf)}),
            r"`outputs\['audio'\]` must be finite",
        ),
        (
            lambda: small().readable({"audio": np.zeros((1, 6, 1))}, num_frames=4),
            "`num_frames` must be at most 3",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "frames, samples, message",
    [
        (video(0, 4, 4), None, "`video` must have at least one frame"),
        (np.full((3, 4, 4, 3), 300), None, "`video` must be pixel values from 0 to 255"),
        (video(3, 4, 4), np.full(6, 1.5), "`audio` must be from -1 to 1"),
        (video(3, 4, 4), np.full(6, np.nan), "`audio` must be from -1 to 1"),
        (video(3, 4, 4), tf.audio.encode_wav(sound(6, 1), 9000), "8000 samples a second"),
        (video(3, 4, 4), b"no sound", "A sound must be the bytes of a WAV file"),
        (video(2, 3, 4, 4), sound(3, 6), "`audio` must have as many examples as `video`"),
        ([b"no picture"], None, "An image must be the bytes of a PNG or JPEG file"),
    ],
)
def test_what_is_refused_when_it_is_read(frames, samples, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        small()(frames, samples)
