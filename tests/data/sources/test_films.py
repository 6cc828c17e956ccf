"""Pictures and sound of videos, and of sound files."""

import numpy as np
import pytest
import soundfile

from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.film_sound import film_sound
from keras_perceiver.data.sources.sound_clip import sound_clip
from keras_perceiver.data.sources.video_clip import video_clip
from tests.data.sources.films import grey, tone, write_film

NOISE = np.random.default_rng(3).integers(0, 256, (50, 32, 32, 3), "uint8")


def numbers(pictures):
    """Which of the pictures of `grey` these are."""
    return (np.median(pictures, (1, 2, 3)) - 40) / 3


@pytest.mark.parametrize("name, codec", [("a.mp4", "libx264"), ("a.mkv", "ffv1")])
@pytest.mark.parametrize(
    "part, wanted",
    [(0.0, [0, 2, 4, 6]), (0.5, [11, 13, 15, 17]), (1.0, [22, 24, 26, 28])],
)
def test_pictures_at_a_lower_rate(tmp_path, name, codec, part, wanted):
    path = write_film(tmp_path / name, grey(30), 20, codec=codec)
    pictures, start = video_clip(path, 4, frame_rate=10, size=8, part=part)
    assert pictures.shape == (4, 8, 8, 3) and pictures.dtype == "uint8"
    assert start == pytest.approx(part * (30 / 20 - 4 / 10))
    np.testing.assert_allclose(numbers(pictures), wanted, atol=0.7)


def test_pictures_at_a_higher_rate_repeat(tmp_path):
    path = write_film(tmp_path / "a.mkv", grey(6), 5, codec="ffv1")
    pictures, _ = video_clip(path, 18, frame_rate=15, size=8)
    np.testing.assert_array_equal(numbers(pictures), np.repeat(np.arange(6), 3))
    pictures, _ = video_clip(path, None, frame_rate=5, size=8)
    np.testing.assert_array_equal(numbers(pictures), np.arange(6))
    pictures, _ = video_clip(path, None, frame_rate=5, size=8, at_most=0.6)
    np.testing.assert_array_equal(numbers(pictures), np.arange(3))


@pytest.mark.parametrize("height, width", [(24, 48), (48, 24)])
def test_the_short_side_is_resized_and_the_centre_cropped(tmp_path, height, width):
    frames = np.zeros((3, height, width, 3), "uint8")
    half = (slice(None), slice(12, 36)) if width > height else (slice(12, 36),)
    frames[(slice(None), *half)] = (200, 100, 50)  # the centre; black is left out by the crop
    path = write_film(tmp_path / "a.mkv", frames, 5, codec="ffv1")
    pictures, _ = video_clip(path, 3, frame_rate=5, size=12)
    inside = pictures[:, 1:-1, 1:-1].reshape(-1, 3)  # but for the blurred edge
    np.testing.assert_allclose(inside, np.tile((200, 100, 50), (len(inside), 1)), atol=3)


@pytest.mark.parametrize("packet", [400, 16000])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_the_sound_of_a_part(tmp_path, name, packet):
    """The tone changes at 1 s: there, sound and pictures must agree."""
    sound = np.concatenate([tone(500, 1), tone(1500, 1)])
    path = write_film(tmp_path / name, grey(20), 10, sound, part=packet)
    samples, rate = film_sound(path, start=0.75, seconds=0.5)
    assert samples.shape == (4000, 1) and samples.dtype == "float32" and rate == 8000
    heard = [np.argmax(np.abs(np.fft.rfft(half[200:1800, 0]))) for half in np.split(samples, 2)]
    assert heard == [100, 300]  # in steps of 5 Hz
    found, _ = film_sound(path)
    assert 16000 - 10 <= len(found) <= 16000 + 2 * 1024
    if name == "a.mkv":  # not compressed
        np.testing.assert_allclose(samples, sound[6000:10000], atol=1e-4)
        np.testing.assert_allclose(found, sound, atol=1e-4)


def test_sound_that_ends_early(tmp_path):
    path = write_film(tmp_path / "a.mkv", grey(20), 10, tone(500, 1.4))
    samples, _ = film_sound(path, start=1.0, seconds=0.45)  # 0.05 s are missing
    np.testing.assert_array_equal(samples[-400:], 0)
    assert np.abs(samples[:3000]).max() > 0.4
    with pytest.raises(CorruptFile, match=r"a.mkv must have 0.6 s of sound at 1 s.*0.20 s early"):
        film_sound(path, start=1.0, seconds=0.6)
    with pytest.raises(CorruptFile, match="must have sound at 1.8 s"):
        film_sound(path, start=1.8, seconds=0.2)
    assert film_sound(write_film(tmp_path / "b.mkv", grey(20), 10)) is None


def test_a_film_that_is_too_short(tmp_path):
    path = write_film(tmp_path / "a.mp4", grey(10), 10)
    video_clip(path, 10, frame_rate=10, size=8)
    with pytest.raises(CorruptFile, match="a.mp4 must be 1.1 s long or more. Received: 1 s"):
        video_clip(path, 11, frame_rate=10, size=8)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_film_whose_end_is_missing(tmp_path, name):
    path = write_film(tmp_path / name, NOISE, 25)
    video_clip(path, 5, frame_rate=25, size=8)
    encoded = path.read_bytes()
    path.write_bytes(encoded[: len(encoded) // 2])
    with pytest.raises(CorruptFile, match=rf"{name} (must|cannot)"):
        video_clip(path, 40, frame_rate=25, size=8)
    if name == "a.mp4":  # it states its length
        with pytest.raises(CorruptFile, match="must have the 2 s of pictures that it states"):
            video_clip(path, 5, frame_rate=25, size=8)


def test_what_is_no_film(tmp_path):
    path = tmp_path / "a.mp4"
    for content in (b"", b"no film", bytes(5000)):
        path.write_bytes(content)
        with pytest.raises(CorruptFile, match="a.mp4 must be a video"):
            video_clip(path, 5, frame_rate=25, size=8)
    write_film(path, None, 0, tone(500, 1))
    with pytest.raises(CorruptFile, match="must have pictures. Received: a file without a video"):
        video_clip(path, 5, frame_rate=25, size=8)
    with pytest.raises(FileNotFoundError):
        video_clip(tmp_path / "b.mp4", 5, frame_rate=25, size=8)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_sound_files(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, tone(440, 1.5, 16000), 16000)
    samples, rate = sound_clip(path)
    assert rate == 16000 and samples.dtype == "float32" and samples.shape[1] == 1
    assert 24000 <= len(samples) <= 24000 + 1152
    if ending in ("wav", "flac"):
        np.testing.assert_allclose(samples, tone(440, 1.5, 16000), atol=1e-4)
    samples, rate = sound_clip(path, 8000, channels=2)
    assert rate == 8000 and 12000 <= len(samples) <= 12600
    np.testing.assert_array_equal(samples[:, 0], samples[:, 1])
    spectrum = np.abs(np.fft.rfft(samples[2000:10000, 0]))
    assert np.argmax(spectrum) == 440 and spectrum.max() == pytest.approx(2000, rel=0.05)


def test_channels_of_sound(tmp_path):
    path = tmp_path / "a.wav"
    both = np.concatenate([tone(440, 0.5), -tone(440, 0.5) / 2], 1)
    soundfile.write(path, both, 8000)
    np.testing.assert_allclose(sound_clip(path)[0], both.mean(1, keepdims=True), atol=1e-4)
    np.testing.assert_allclose(sound_clip(path, channels=2)[0], both, atol=1e-4)
    with pytest.raises(CorruptFile, match="a.wav must have 3 channels, or one. Received: 2"):
        sound_clip(path, channels=3)


def test_what_is_no_sound(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, NOISE[:, :, 0, 0].reshape(-1) / 256, 8000)
    whole = path.read_bytes()
    for content, message in [
        (b"", "must be sound. Received: an empty file"),
        (b"no sound", "must be sound that can be decoded"),
        (whole[: len(whole) // 2], "must"),
    ]:
        path.write_bytes(content)
        with pytest.raises(CorruptFile, match=rf"a.flac {message}"):
            sound_clip(path)
    film = write_film(tmp_path / "a.mp4", grey(5), 5)
    with pytest.raises(CorruptFile, match="a.mp4 must have sound. Received: a video without"):
        sound_clip(film)
    soundfile.write(tmp_path / "b.wav", np.array([0.5, np.nan]), 8000, "FLOAT")
    with pytest.raises(CorruptFile, match="b.wav must have finite samples"):
        sound_clip(tmp_path / "b.wav")


@pytest.mark.parametrize("ending", ["wav", "mp3", "flac"])
def test_sound_whose_end_is_missing(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, NOISE[:, :, 0, 0].reshape(-1) / 256, 8000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - len(whole) // 5])
    with pytest.raises(CorruptFile, match=rf"a.{ending} must (have \d+ samples|have the|be sound)"):
        sound_clip(path)


def test_wav_of_unknown_length(tmp_path):
    """As FFmpeg writes it to a pipe: the length in the header is the largest there is."""
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(440, 0.5), 8000)
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"\xff" * 4 + whole[8:40] + b"\xff" * 4 + whole[44:])
    assert len(sound_clip(path)[0]) == 4000
