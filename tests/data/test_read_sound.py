"""Sound files of each format, decoded, resampled and refused."""

import io

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

soundfile = pytest.importorskip("soundfile")

FORMATS = {
    "WAV": "PCM_16",
    "WAV 24": "PCM_24",
    "WAV float": "FLOAT",
    "FLAC": "PCM_16",
    "FLAC 24": "PCM_24",
    "OGG": "VORBIS",
    "OGG opus": "OPUS",
    "MP3": "MPEG_LAYER_III",
}
ERRORS = {"WAV": 2**-15, "WAV 24": 2**-23, "WAV float": 0, "FLAC": 2**-15, "FLAC 24": 2**-23}
OLD_TENSORFLOW = tuple(map(int, tf.__version__.split(".")[:2])) <= (2, 17)


def tones(length=9973, rate=44100, channels=2):
    """A tone for each channel, an octave apart."""
    time = np.arange(length)[:, None] / rate
    return (0.5 * np.sin(2 * np.pi * 440 * 2 ** np.arange(channels) * time)).astype("float32")


def encoded(samples, kind="WAV", rate=44100):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind.split()[0], subtype=FORMATS[kind])
    return file.getvalue()


def written(folder, samples, kind="WAV", rate=44100):
    path = folder / f"tone.{kind.split()[0].lower()}"
    path.write_bytes(encoded(samples, kind, rate))
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_a_round_trip(tmp_path, kind):
    rate = 48000 if "opus" in kind else 44100
    samples = tones(rate=rate)
    path = written(tmp_path, samples, kind, rate)
    found = kp.data.read_sound(path, sampling_rate=rate, channels=None, resample=False)
    assert found.dtype == tf.float32 and found.shape == samples.shape
    if kind in ERRORS:
        np.testing.assert_allclose(found, samples, rtol=0, atol=ERRORS[kind])
    else:  # lossy
        middle = slice(1000, -1000)
        assert np.abs(found - samples)[middle].max() < 0.05
    same = kp.data.read_sound(
        encoded=path.read_bytes(), sampling_rate=rate, channels=None, resample=False
    )
    np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 96000])
def test_resampling_keeps_a_tone(rate):
    samples = tones(rate, rate, channels=1)  # a second
    found = kp.data.read_sound(encoded=encoded(samples, "WAV float", rate)).numpy()
    assert found.shape == (48000, 1)
    wanted = tones(48000, 48000, channels=1)
    np.testing.assert_allclose(found[500:-500], wanted[500:-500], rtol=0, atol=1e-3)
    assert np.abs(np.fft.rfft(found[:, 0])).argmax() == 440


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("rate", [48000, 16000, 7919])
def test_a_cut_is_the_beginning_of_the_whole(kind, rate):
    noise = np.random.default_rng(3).uniform(-0.3, 0.3, (44100, 1)).astype("float32")
    file = encoded(noise, kind)
    whole = kp.data.read_sound(encoded=file, sampling_rate=rate)
    cut = kp.data.read_sound(encoded=file, sampling_rate=rate, num_samples=1009)
    assert cut.shape == (1009, 1)
    np.testing.assert_allclose(cut, whole[:1009], rtol=0, atol=2e-5)


def test_the_same_in_a_pipeline(tmp_path):
    path = written(tmp_path, tones(), "FLAC")
    files = tf.data.Dataset.from_tensors(str(path)).repeat(3)
    pipeline = files.map(kp.data.read_sound, num_parallel_calls=2)
    assert pipeline.element_spec == tf.TensorSpec((None, 1), tf.float32)
    for found in pipeline:
        np.testing.assert_array_equal(found, kp.data.read_sound(path))

    def clip(file):
        return kp.data.read_sound(encoded=tf.io.read_file(file), num_samples=17, channels=2)

    clips = files.map(clip)
    assert clips.element_spec == tf.TensorSpec((17, 2), tf.float32)
    for found in clips:
        np.testing.assert_array_equal(found, kp.data.read_sound(path, num_samples=17, channels=2))


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("length", [1, 9973, 20000])
def test_wav_files_are_read_as_by_the_function_for_served_models(channels, length):
    file = encoded(tones(channels=2))
    wanted = kp.data.wav_samples(file, length, channels)
    found = kp.data.read_sound(
        encoded=file, sampling_rate=44100, channels=channels, num_samples=length, pad=True
    )
    np.testing.assert_array_equal(found, wanted)


def test_what_is_louder_than_a_file_of_whole_numbers_can_be_is_clipped():
    samples = np.array([[-1e30], [0.25], [7.0]], "float32")
    found = kp.data.read_sound(encoded=encoded(samples, "WAV float"), sampling_rate=44100)
    np.testing.assert_array_equal(found, [[-1.0], [0.25], [1.0]])


def test_a_wav_file_of_unknown_size():
    file = bytearray(encoded(tones()))
    place = file.index(b"data") + 4
    file[place : place + 4] = b"\xff" * 4
    found = kp.data.read_sound(encoded=bytes(file), sampling_rate=44100, channels=2)
    np.testing.assert_allclose(found, tones(), rtol=0, atol=2**-15)


def test_an_mp3_file_whose_length_nobody_states():
    file = io.BytesIO()
    constant = {"compression_level": 0.5, "bitrate_mode": "CONSTANT"}
    soundfile.write(file, tones(44100), 44100, format="MP3", **constant)
    file = file.getvalue()
    start = file.index(b"\xff\xfb", file.index(b"Info"))  # the frame after the header
    whole = kp.data.read_sound(encoded=file[start:], sampling_rate=44100)
    assert 44100 <= len(whole) < 44100 + 3 * 1152


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated_files(tmp_path, kind):
    samples = tones(100003, 48000)
    file = encoded(samples, kind, 48000)
    path = tmp_path / "cut.sound"
    for length in [4, 30, 100, len(file) // 3, len(file) * 9 // 10, len(file) - 1]:
        path.write_bytes(file[:length])
        with pytest.raises(ValueError, match="cut.sound' (must be a WAV|ends early)"):
            kp.data.read_sound(path)
    path.write_bytes(file)
    assert len(kp.data.read_sound(path)) >= len(samples)


def test_a_header_that_promises_the_moon():
    file = bytearray(encoded(tones(), "FLAC"))
    file[21] |= 0x0F  # 36 bits: the number of samples
    file[22:26] = b"\xff" * 4
    with pytest.raises(ValueError, match="ends early"):
        kp.data.read_sound(encoded=bytes(file), sampling_rate=44100)


BAD_FILES = {
    "is empty: it has no bytes": b"",
    "must be a WAV, FLAC, OGG or MP3 file.* not recognised": b"Once upon a time" * 99,
    "has no samples": lambda: encoded(np.zeros((0, 1), "float32"), rate=48000),
    "must hold finite numbers": lambda: encoded(
        np.array([0, np.nan], "float32"), "WAV float", 48000
    ),
    "must have 48000 samples a second.*Received: 44100": lambda: encoded(tones()),
    "must have at least 20011 samples at 48000 Hz.*Received: 9973": (
        lambda: encoded(tones(), rate=48000)
    ),
}


@pytest.mark.parametrize("message", BAD_FILES)
def test_bad_files_are_named(tmp_path, message):
    file = BAD_FILES[message]
    path = tmp_path / "bad.wav"
    path.write_bytes(file() if callable(file) else file)

    def read(path):
        return kp.data.read_sound(path, num_samples=20011, resample=False)

    with pytest.raises(ValueError, match=f"bad.wav' {message}"):
        read(path)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"bad.wav' {message}"):
        list(tf.data.Dataset.from_tensors(str(path)).map(read))
    with pytest.raises(ValueError, match=f"The sound in `encoded` {message}"):
        kp.data.read_sound(encoded=path.read_bytes(), num_samples=20011, resample=False)


def test_missing_files(tmp_path):
    path = str(tmp_path / "none.wav")
    with pytest.raises(FileNotFoundError, match="none.wav"):
        kp.data.read_sound(path)
    with pytest.raises(OSError, match=str(tmp_path)):
        kp.data.read_sound(tmp_path)
    with pytest.raises(tf.errors.NotFoundError, match="none.wav"):
        list(tf.data.Dataset.from_tensors(path).map(kp.data.read_sound))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "Either `path` or `encoded`.*neither"),
        ({"path": "a", "encoded": b"a"}, "Either `path` or `encoded`.*both"),
        ({"path": b"RIFFabcd"}, "`path` must be.*given as `encoded`.*RIFF"),
        ({"path": ""}, "`path` must be a path"),
        ({"path": 3}, "`path` must be one string.*int32"),
        ({"path": ["a", "b"]}, r"`path` must be one string.*\(2,\)"),
        ({"encoded": [b"a"]}, r"`encoded` must be one string.*\(1,\)"),
        ({"path": "a", "sampling_rate": 0}, "`sampling_rate`"),
        ({"path": "a", "channels": 0}, "`channels`"),
        ({"path": "a", "num_samples": 1.5}, "`num_samples`"),
        ({"path": "a", "pad": 1}, "`pad`"),
        ({"path": "a", "resample": None}, "`resample`"),
        ({"path": "a", "quality": "best"}, "`quality` must be one of.*VHQ"),
        ({"path": "a", "decode": "ffmpeg"}, "`decode` must be one of"),
        ({"encoded": b"a", "decode": "tensorflow_io"}, "`path` must be given"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kp.data.read_sound(**arguments)


@pytest.mark.skipif(OLD_TENSORFLOW, reason="the operations load here")
def test_native_operations_that_do_not_load(tmp_path):
    pytest.importorskip("tensorflow_io")
    with pytest.raises(ValueError, match="`decode` must be 'soundfile' here.*2.17"):
        kp.data.read_sound(written(tmp_path, tones()), decode="tensorflow_io")


@pytest.mark.skipif(not OLD_TENSORFLOW, reason="make test-tensorflow-io runs it")
@pytest.mark.parametrize("kind", [kind for kind in FORMATS if "opus" not in kind])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_native_operations_give_the_same(tmp_path, kind, in_pipeline):
    path = str(written(tmp_path, tones(), kind))
    wanted = kp.data.read_sound(path, channels=2)
    if in_pipeline:
        files = tf.data.Dataset.from_tensors(path)
        (found,) = files.map(
            lambda file: kp.data.read_sound(file, channels=2, decode="tensorflow_io")
        )
    else:
        found = kp.data.read_sound(path, channels=2, decode="tensorflow_io")
    np.testing.assert_allclose(found, wanted, rtol=0, atol=3e-6)


@pytest.mark.skipif(not OLD_TENSORFLOW, reason="make test-tensorflow-io runs it")
@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3"])
def test_native_operations_refuse_truncated_files(tmp_path, kind):
    path = tmp_path / "cut.sound"
    file = encoded(tones(100003), kind)
    path.write_bytes(file[: len(file) // 2])
    with pytest.raises((tf.errors.OpError, ValueError)):
        kp.data.read_sound(path, decode="tensorflow_io")
