import shutil

import numpy as np
import pytest
import soundfile

import keras_perceiver as kp
from keras_perceiver.data.sources.audioset_clips import AudiosetClips
from tests.data.sources.films import grey, tone, write_film
from tests.data.sources.prepare_and_read import examples, files_below, prepare

CLASSES = """index,mid,display_name
0,/m/09x0r,"Speech"
1,/m/05zppz,"Male speech, man speaking"
2,/t/dd00088,"Gush"
"""
EVAL = """# Segments csv created Sun Mar  5 10:54:31 2017
# num_ytids=6, num_segs=6, num_unique_labels=3, num_positive_labels=8
# YTID, start_seconds, end_seconds, positive_labels
--4gqARaEJE, 0.000, 1.000, "/m/09x0r,/t/dd00088"
Ybcdefghijk, 30.000, 31.000, "/m/05zppz"
-_abc_30_de, 7.500, 8.500, "/t/dd00088"
Yefghijklmn, 30.000, 31.000, "/m/09x0r"
opqrstuvwxy, 30.000, 31.000, "/m/09x0r"
notthere123, 30.000, 31.000, "/m/09x0r"
"""
TRAIN = """# YTID, start_seconds, end_seconds, positive_labels
trainclip_1, 0.000, 1.000, "/m/05zppz"
"""
NAMES = {  # the frequency of the tone in each clip
    "audio/--4gqARaEJE.wav": 500,
    "audio/Ybcdefghijk_30.flac": 600,
    "-_abc_30_de_7500_8500.ogg": 700,
    "deep/down/YYefghijklmn_30.000_31.000.mp3": 800,
}


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "audioset"
    for name, frequency in NAMES.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(frequency, 1), 8000)
    write_film(source / "opqrstuvwxy.mp4", grey(10), 10, tone(900, 1))
    soundfile.write(source / "short.wav", tone(900, 1), 8000)  # a name that is no clip's
    (source / "class_labels_indices.csv").write_text(CLASSES)
    (source / "eval_segments.csv").write_text(EVAL)
    (source / "balanced_train_segments.csv").write_text(TRAIN)
    return source


def builder_of(source, **options):
    options = {"sampling_rate": None, "data_dir": source.parent / "prepared", **options}
    return AudiosetClips(source_dir=source, **options)


ABSENT = [
    "1 of 6 clips that eval_segments.csv lists are absent",
    "1 of 1 clips that balanced_train_segments.csv lists are absent",
]


def prepared(builder, *warnings):
    with pytest.warns(UserWarning) as caught:
        prepare(builder)
    assert sorted(str(warning.message) for warning in caught) == sorted([*ABSENT, *warnings])
    return builder


def test_clips_with_several_labels(source):
    builder = prepared(builder_of(source))
    assert list(builder.info.splits) == ["eval"]  # no clip of the other split is there
    names = builder.info.features["labels"].feature.names
    assert names == ["Speech", "Male speech, man speaking", "Gush"]
    found = {example["clip"].decode(): example for example in examples(builder, "eval")}
    wanted = {
        "--4gqARaEJE": (500, [0, 2]),
        "Ybcdefghijk": (600, [1]),
        "-_abc_30_de": (700, [2]),
        "Yefghijklmn": (800, [0]),
        "opqrstuvwxy": (900, [0]),
    }
    assert set(found) == set(wanted)
    for clip, (frequency, labels) in wanted.items():
        audio = found[clip]["audio"]
        assert audio.shape == (8000, 1) and audio.dtype == "float32"
        assert abs(np.argmax(np.abs(np.fft.rfft(audio[:, 0]))) - frequency) <= 1
        assert found[clip]["sampling_rate"] == 8000
        assert found[clip]["labels"].tolist() == labels


def test_sound_at_another_rate(source):
    builder = prepared(builder_of(source, sampling_rate=4000, channels=2))
    for example in examples(builder, "eval"):
        assert example["audio"].shape == (4000, 2) and example["sampling_rate"] == 4000


def test_pictures_of_videos(source):
    builder = builder_of(source, video=True, frame_rate=5, size=8)
    with pytest.warns(UserWarning) as caught:
        prepare(builder)
    assert any("5 of 6 clips that eval" in str(warning.message) for warning in caught)
    (example,) = examples(builder, "eval")
    assert example["video"].shape == (5, 8, 8, 3) and example["clip"] == b"opqrstuvwxy"
    shown = (np.median(example["video"], (1, 2, 3)) - 40) / 3
    np.testing.assert_allclose(shown, [0, 2, 4, 6, 8], atol=1)


def test_sounds_are_preferred_to_videos(source):
    soundfile.write(source / "opqrstuvwxy.wav", tone(300, 1), 8000)
    write_film(source / "--4gqARaEJE.mp4", grey(10), 10, tone(900, 1))
    for example in examples(prepared(builder_of(source)), "eval"):
        if example["clip"] in (b"opqrstuvwxy", b"--4gqARaEJE"):
            frequency = 300 if example["clip"][:1] == b"o" else 500
            assert np.argmax(np.abs(np.fft.rfft(example["audio"][:, 0]))) == frequency


@pytest.mark.parametrize(
    "seconds, message",
    [
        (0.45, "must have the 1 s that line 4 of eval_segments.csv says. Received: 0.45 s"),
        (2.1, "must have the 1 s that line 4 of eval_segments.csv says. Received: 2.1 s"),
        (0.55, None),
        (1.9, None),
        (0, "must"),
    ],
)
def test_clips_of_another_length(source, tmp_path, seconds, message):
    soundfile.write(source / "audio/--4gqARaEJE.wav", tone(500, seconds), 8000)
    before = files_below(tmp_path)
    if message is None:
        clips = {e["clip"]: e for e in examples(prepared(builder_of(source)), "eval")}
        wanted = min(8000, round(8000 * seconds))
        assert len(clips[b"--4gqARaEJE"]["audio"]) == wanted
        return
    with pytest.raises(ValueError, match=f"4gqARaEJE.wav {message}"):
        prepare(builder_of(source))
    assert files_below(tmp_path) == before
    skipped = "1 of 5 files were skipped: audio/--4gqARaEJE.wav"
    prepared(builder_of(source, corrupt="skip"), skipped)


def test_clips_that_start_elsewhere(source):
    path = source / "audio/Ybcdefghijk_30.flac"
    path.rename(source / "audio/Ybcdefghijk_60.flac")
    with pytest.raises(ValueError, match="Ybcdefghijk_60.flac must start at 30 s, as line 5 of"):
        prepare(builder_of(source))


def test_labels_that_are_in_no_list(source):
    (source / "eval_segments.csv").write_text(EVAL.replace("/m/05zppz", "/m/unknown"))
    with pytest.raises(ValueError, match="Ybcdefghijk_30.flac must have labels in .*'/m/unknown'"):
        prepare(builder_of(source))


def test_lists_that_are_wrong(source, tmp_path):
    listed = source / "eval_segments.csv"
    for line in ("abcdefghijk, 1, 2", "abcdefghijk, one, 2, /m/09x0r", "abcdefghijk, 3, 3, /m/1"):
        listed.write_text(EVAL + line + "\n")
        with pytest.raises(ValueError, match="eval_segments.csv must have lines .* line 10"):
            prepare(builder_of(source))
    listed.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="eval_segments.csv must be text in UTF-8"):
        prepare(builder_of(source))
    listed.unlink()
    with pytest.raises(ValueError, match="clips that are listed.*Received: none of 1"):
        prepare(builder_of(source))
    (source / "balanced_train_segments.csv").unlink()
    with pytest.raises(ValueError, match="or some of them. Received: none of them"):
        prepare(builder_of(source))
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(
    "text",
    ["", "index,mid\n0,/m/1\n", CLASSES.replace("2,", "3,"), CLASSES.replace("Gush", "Speech")],
)
def test_classes_that_are_wrong(source, text):
    (source / "class_labels_indices.csv").write_text(text)
    with pytest.raises(ValueError, match="class_labels_indices.csv must have the columns index"):
        builder_of(source)


def test_without_classes(source):
    (source / "class_labels_indices.csv").unlink()
    with pytest.raises(ValueError, match="`source_dir` must have class_labels_indices.csv"):
        builder_of(source)


def test_prepared_data_need_no_source(source, tmp_path):
    first = examples(prepared(builder_of(source)), "eval")
    shutil.rmtree(source)
    builder = AudiosetClips(sampling_rate=None, data_dir=tmp_path / "prepared")
    assert builder.info.features["labels"].feature.names[2] == "Gush"
    for one, again in zip(first, examples(builder, "eval")):
        np.testing.assert_array_equal(one["audio"], again["audio"])


def test_a_pipeline(source, tmp_path):
    with pytest.warns(UserWarning, match="absent"):
        batches = kp.data.load(
            "audioset_clips",
            "test",
            source_dir=source,
            data_dir=tmp_path / "data",
            sampling_rate=4000,
            num_samples=2560,
        )
    sounds, labels = next(iter(batches))
    assert sounds.shape[1:] == (2560, 1) and np.abs(sounds).max() > 0.1
    assert set(np.unique(labels)) == {0, 1} and labels.numpy().sum(axis=1).max() > 1
