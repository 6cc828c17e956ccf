"""Frames and sound of files that the tests write themselves."""

import numpy as np
import pytest

av = pytest.importorskip("av")

from keras_perceiver.data.sources.sound_track import sound_track  # noqa: E402
from keras_perceiver.data.sources.video_frames import video_frames  # noqa: E402


def write(path, frames=None, sound=None, rate=16000, layout="mono"):
    """A file without loss: frames (T, H, W, 3) in PNG, sound (channels, samples) in PCM."""
    with av.open(str(path), "w") as container:
        if frames is not None:
            stream = container.add_stream("png", rate=5)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = "rgb24"
        if sound is not None:
            track = container.add_stream("pcm_s16le", rate=rate, layout=layout)
        if frames is not None:
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        if sound is not None:
            samples = np.round(sound * 32768).astype("int16")
            piece = av.AudioFrame.from_ndarray(
                samples.T.reshape(1, -1).copy(), format="s16", layout=layout
            )
            piece.rate = rate
            container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return path


@pytest.mark.parametrize(
    "size, small, cells",
    [
        ((12, 20), (3, 5), np.s_[:, :]),  # the whole frame
        ((12, 20), (6, 6), np.s_[:, 4:16]),  # the square in the middle
        ((20, 12), (4, 6), np.s_[6:14, :]),  # the middle of a tall one
    ],
)
def test_the_middle_is_averaged_over_cells(tmp_path, size, small, cells):
    frames = np.random.default_rng(5).integers(0, 256, (7, *size, 3), "uint8")
    found = video_frames(write(tmp_path / "clip.mov", frames), *small)
    middle = frames[:, cells[0], cells[1]].astype("float32")
    (h, w), (rows, columns) = small, middle.shape[1:3]
    means = middle.reshape(7, h, rows // h, w, columns // w, 3).mean((2, 4))
    assert found.dtype == "uint8" and found.shape == (7, *small, 3)
    np.testing.assert_allclose(found, means, atol=0.51)


def test_frames_are_not_scaled_up(tmp_path):
    path = write(tmp_path / "clip.mov", np.zeros((3, 12, 20, 3), "uint8"))
    with pytest.raises(ValueError, match="`height` and `width` must be at most 12 and 20.*clip"):
        video_frames(path, 13, 20)


def test_sound_in_one_channel_is_given_in_two(tmp_path):
    sound = np.random.default_rng(5).uniform(-0.5, 0.5, (1, 4001))
    found = sound_track(write(tmp_path / "any.wav", sound=sound), 16000)
    assert found.shape == (4001, 2) and found.dtype == "float32"
    np.testing.assert_allclose(found[:, 0], found[:, 1])
    # FFmpeg keeps the power of the whole or the level of each, by a factor alone.
    scale = found[:, 0] @ sound[0] / (sound[0] @ sound[0])
    np.testing.assert_allclose(found[:, 0], scale * sound[0], atol=1e-4)
    assert 0.7 < scale < 1.01


def test_sound_of_another_rate_is_resampled(tmp_path):
    tone = 0.25 * np.sin(2 * np.pi * 200 * np.arange(8000) / 8000)
    path = write(tmp_path / "any.wav", sound=np.stack([tone, -tone]), rate=8000, layout="stereo")
    found = sound_track(path, 16000)
    assert len(found) == 16000  # to the end, although a filter has a delay
    wanted = 0.25 * np.sin(2 * np.pi * 200 * np.arange(len(found)) / 16000)
    middle = slice(1000, 15000)
    np.testing.assert_allclose(found[middle, 0], wanted[middle], atol=0.01)
    np.testing.assert_allclose(found[middle, 1], -wanted[middle], atol=0.01)


def test_a_file_without_sound_is_refused(tmp_path):
    path = write(tmp_path / "clip.mov", np.zeros((3, 12, 20, 3), "uint8"))
    with pytest.raises(ValueError, match="`path` must be a file with sound.*clip.mov"):
        sound_track(path, 16000)
