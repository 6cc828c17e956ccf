"""Mel spectrograms, against their definition in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

pytest.importorskip("tensorflow_io")

SMALL = {"sampling_rate": 8000, "num_bands": 11, "window": 200, "stride": 70, "low": 90}


def noise(*shape):
    return np.random.default_rng(5).uniform(-0.5, 0.5, shape).astype("float32")


def mel(hertz):
    return 1127 * np.log1p(hertz / 700)


def reference(samples, rate, bands, window, stride, length, low, high, top_db):
    """Of sound `(samples,)`."""
    samples = samples.astype("float64")
    frames = -(-len(samples) // stride)
    samples = np.pad(samples, (0, window + stride))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    starts = np.arange(frames)[:, None] * stride
    spectrum = np.abs(np.fft.rfft(samples[starts + np.arange(window)] * hann, length))
    places = mel(np.arange(1, length // 2 + 1) * rate / length)[:, None]  # without 0 Hz
    edges = np.linspace(mel(low), mel(high), bands + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    up, down = (places - left) / (centre - left), (right - places) / (right - centre)
    summed = spectrum[:, 1:] @ np.maximum(0, np.minimum(up, down))
    if top_db is None:
        return summed
    decibels = 10 * np.log10(np.maximum(summed**2, 1e-10))
    return np.maximum(decibels, decibels.max() - top_db)


@pytest.mark.parametrize("length", [1, 199, 1009])
@pytest.mark.parametrize("high", [None, 2900.0])
@pytest.mark.parametrize("top_db", [None, 30.0])
def test_the_definition(length, high, top_db):
    samples = noise(length, 1)
    found = kp.data.mel_spectrogram(
        samples, **SMALL, high=high, decibels=top_db is not None, top_db=top_db or 80
    )
    wanted = reference(samples[:, 0], 8000, 11, 200, 70, 256, 90, high or 4000, top_db)
    assert found.shape == (-(-length // 70), 11, 1)
    np.testing.assert_allclose(found[..., 0], wanted, rtol=2e-4, atol=2e-3)


def test_a_batch_is_its_examples_and_channels_one_by_one():
    samples = noise(3, 501, 2) * np.array([1e-4, 1, 30], "float32")[:, None, None]
    found = kp.data.mel_spectrogram(samples, **SMALL)
    assert found.shape == (3, 8, 11, 2)
    for example, one in zip(samples, found):
        np.testing.assert_allclose(
            kp.data.mel_spectrogram(example, **SMALL), one, rtol=1e-5, atol=1e-4
        )
    magnitudes = kp.data.mel_spectrogram(samples, **SMALL, decibels=False)
    for channel in range(2):
        alone = kp.data.mel_spectrogram(samples[..., channel, None], **SMALL, decibels=False)
        np.testing.assert_allclose(alone[..., 0], magnitudes[..., channel], rtol=1e-5, atol=1e-7)


def test_the_paper_has_4800_values_for_a_clip():
    found = kp.data.mel_spectrogram(noise(61440, 1))
    assert np.prod(found.shape) == 4800 and np.ptp(found) <= 80


def test_silence_and_far_off_values_are_finite():
    for samples in (np.zeros((300, 1), "float32"), np.full((300, 1), 1e15, "float32")):
        assert np.isfinite(kp.data.mel_spectrogram(samples, **SMALL)).all()


@pytest.mark.slow
def test_unknown_shapes_in_a_pipeline():
    samples = noise(3, 501, 2)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter([samples]), output_signature=tf.TensorSpec((None, None, None), tf.float32)
    )
    dataset = dataset.map(lambda batch: kp.data.mel_spectrogram(batch, **SMALL))
    assert dataset.element_spec.shape == (None, None, 11, None)
    (found,) = dataset
    np.testing.assert_allclose(
        found, kp.data.mel_spectrogram(samples, **SMALL), rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize(
    "change, message",
    [
        ({"samples": noise(9)}, r"`samples` must be floats.*\(9,\)"),
        ({"samples": np.zeros((9, 1), "int16")}, "`samples` must be floats.*int16"),
        ({"samples": "a.wav"}, "`samples` must be floats.*string"),
        ({"num_bands": 0}, "`num_bands`"),
        ({"window": 0}, "`window`"),
        ({"stride": 2.5}, "`stride`"),
        ({"fft_length": 199}, "`fft_length` must be a whole number of at least 200"),
        ({"sampling_rate": -1}, "`sampling_rate`"),
        ({"high": 4001.0}, "`high` must be .*at most 4000"),
        ({"low": 4000.0}, "`low` must be .*below 4000"),
        ({"decibels": 1}, "`decibels`"),
        ({"top_db": 0}, "`top_db`"),
    ],
)
def test_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        kp.data.mel_spectrogram(**{"samples": noise(9, 1), **SMALL, **change})
