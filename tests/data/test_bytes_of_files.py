"""Images and sound from the bytes of files."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

PIXELS = np.arange(5 * 7 * 3, dtype="uint8").reshape(5, 7, 3)
PNG = tf.io.encode_png(PIXELS).numpy()
SAMPLES = (np.arange(11, dtype="float32")[:, None] - 5) / 8
WAV = tf.audio.encode_wav(SAMPLES, 8000).numpy()


def test_pixels():
    image = kp.data.image_pixels(PNG, 5, 7)
    assert image.shape == (5, 7, 3) and image.dtype == "float32"
    np.testing.assert_allclose(image, PIXELS / 255, atol=1e-6)
    image = kp.data.image_pixels(PNG, 5, 7, low=-1, high=1)
    np.testing.assert_allclose(image, PIXELS / 127.5 - 1, atol=1e-6)


def test_in_a_pipeline():
    files = tf.data.Dataset.from_tensor_slices([PNG, PNG])
    (batch,) = files.map(lambda file: kp.data.image_pixels(file, 5, 7, 1)).batch(2)
    assert batch.shape == (2, 5, 7, 1)
    files = tf.data.Dataset.from_tensor_slices([WAV])
    (batch,) = files.map(lambda file: kp.data.wav_samples(file, 11)).batch(1)
    np.testing.assert_allclose(batch[0], SAMPLES, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_and_formats(channels):
    jpeg = tf.io.encode_jpeg(np.full((5, 7, 3), 100, "uint8")).numpy()
    assert kp.data.image_pixels(PNG, 5, 7, channels).shape == (5, 7, channels)
    if channels < 4:
        image = kp.data.image_pixels(jpeg, 5, 7, channels)
        np.testing.assert_allclose(image, np.full((5, 7, channels), 100 / 255), atol=0.01)


def test_other_sizes_are_stretched():
    half = np.zeros((4, 6, 1), "uint8")
    half[:, 3:] = 255
    image = kp.data.image_pixels(tf.io.encode_png(half), 2, 2, 1)
    assert image[0, 0, 0] < 0.2 and image[1, 1, 0] > 0.8


def test_images_too_large_are_refused_before_they_are_decoded():
    claims = PNG[:16] + (2**31 - 1).to_bytes(4, "big") * 2 + PNG[24:]
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have 1 to 67108864 pixels"):
        kp.data.image_pixels(claims, 5, 7)
    with pytest.raises(tf.errors.InvalidArgumentError, match="1 to 34 pixels. Received: 35"):
        kp.data.image_pixels(PNG, 5, 7, max_pixels=34)
    jpeg = tf.io.encode_jpeg(PIXELS).numpy()
    with pytest.raises(tf.errors.InvalidArgumentError, match="1 to 34 pixels. Received: 35"):
        kp.data.image_pixels(jpeg, 5, 7, max_pixels=34)


@pytest.mark.parametrize("bad", [b"", b"no image", PNG[:20], PNG[:40], b"GIF89a" + bytes(20), WAV])
def test_no_images(bad):
    with pytest.raises(tf.errors.InvalidArgumentError):
        kp.data.image_pixels(bad, 5, 7)


def test_samples():
    samples = kp.data.wav_samples(WAV, 11, sampling_rate=8000)
    assert samples.shape == (11, 1) and samples.dtype == "float32"
    np.testing.assert_allclose(samples, SAMPLES, atol=1e-4)
    np.testing.assert_allclose(kp.data.wav_samples(WAV, 3), SAMPLES[:3], atol=1e-4)
    longer = kp.data.wav_samples(WAV, 13, channels=2)
    np.testing.assert_allclose(longer, np.pad(SAMPLES, ((0, 2), (0, 0))).repeat(2, 1), atol=1e-4)


def test_another_sampling_rate_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="16000 samples a second.*8000"):
        kp.data.wav_samples(WAV, 11, sampling_rate=16000)


@pytest.mark.parametrize("bad", [b"", b"no sound", WAV[:20], PNG])
def test_no_sound(bad):
    with pytest.raises(tf.errors.InvalidArgumentError):
        kp.data.wav_samples(bad, 11)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: kp.data.image_pixels(PNG, 0, 7), "`height` must be a whole number"),
        (lambda: kp.data.image_pixels(PNG, 5, 7, 2), r"`channels` must be one of \(1, 3, 4\)"),
        (lambda: kp.data.image_pixels(PNG, 5, 7, low=1), "`high` must be a finite number"),
        (lambda: kp.data.image_pixels([PNG, PNG], 5, 7), "`encoded` must be one string"),
        (lambda: kp.data.image_pixels(PIXELS, 5, 7), "`encoded` must be one string"),
        (lambda: kp.data.wav_samples(WAV, 0), "`num_samples` must be a whole number"),
        (lambda: kp.data.wav_samples(SAMPLES, 3), "`encoded` must be one string"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
