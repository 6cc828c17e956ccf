import csv

import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.data.sources.kinetics_videos import KineticsVideos
from tests.data.sources.films import grey, tone, write_film
from tests.data.sources.prepare_and_read import examples, files_below, prepare

OPTIONS = {"num_frames": 5, "frame_rate": 10, "size": 8, "sampling_rate": 4000}


def builder_of(source, **options):
    options = {**OPTIONS, "data_dir": source.parent / "prepared", **options}
    return KineticsVideos(source_dir=source, **options)


@pytest.fixture
def folders(tmp_path):
    """Videos in a folder a class; one has no sound, one is stereo at another rate."""
    source = tmp_path / "kinetics"
    for name in ("train/playing harp", "train/air drumming", "val/air drumming"):
        (source / name).mkdir(parents=True)
    harp, drums = source / "train/playing harp", source / "train/air drumming"
    write_film(harp / "abcdefghij-_000012_000022.mp4", grey(20), 10, tone(700, 2))
    write_film(harp / "any name.mkv", grey(40), 20)
    both = np.concatenate([tone(500, 2, 16000), tone(500, 2, 16000)], 1)
    write_film(drums / "b.mp4", grey(20), 10, both, 16000)
    write_film(source / "val/air drumming/c.mp4", grey(5, 40, 24), 10, tone(300, 0.5))
    (drums / ".b.mp4").write_bytes(b"left behind")
    (drums / "notes.txt").write_text("nothing")
    return source


def test_clips_of_folders(folders):
    builder = prepare(builder_of(folders))
    assert builder.info.features["label"].names == ["air drumming", "playing harp"]
    train = {example["file"].decode(): example for example in examples(builder)}
    assert len(train) == 3 and len(examples(builder, "validation")) == 1
    assert list(builder.info.splits) == ["train", "validation"]
    for example in train.values():
        assert example["video"].shape == (5, 8, 8, 3) and example["video"].dtype == "uint8"
        assert example["audio"].shape == (2000, 1) and example["audio"].dtype == "float32"
    harp = train["playing harp/abcdefghij-_000012_000022.mp4"]
    # The middle half second of 20 pictures starts at 0.75 s, which shows pictures 7 to 11.
    shown = (np.median(harp["video"], (1, 2, 3)) - 40) / 3
    np.testing.assert_allclose(shown, [7, 8, 9, 10, 11], atol=1)
    assert harp["label"] == 1 and harp["has_audio"]
    assert np.argmax(np.abs(np.fft.rfft(harp["audio"][:, 0]))) == 350  # in steps of 2 Hz
    silent = train["playing harp/any name.mkv"]
    assert silent["label"] == 1 and not silent["has_audio"] and not silent["audio"].any()
    drums = train["air drumming/b.mp4"]
    assert drums["label"] == 0 and drums["has_audio"]
    assert np.argmax(np.abs(np.fft.rfft(drums["audio"][:, 0]))) == 250


def test_several_clips_and_channels(folders):
    builder = prepare(builder_of(folders, num_clips=3, channels=2))
    found = [e for e in examples(builder) if e["file"] == b"playing harp/any name.mkv"]
    starts = sorted((np.median(example["video"][0]) - 40) / 3 for example in found)
    np.testing.assert_allclose(starts, [5, 15, 25], atol=1)  # of 40 at 20 a second: 0.25 s, ...
    assert found[0]["audio"].shape == (2000, 2)


def write_list(path, rows, label=True):
    columns = ["label"] * label + ["youtube_id", "time_start", "time_end", "split"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([columns, *rows])


@pytest.fixture
def lists(tmp_path):
    """Videos in one folder, with lists as they are published."""
    source = tmp_path / "k700"
    (source / "annotations").mkdir(parents=True)
    for split in ("train", "test"):
        (source / split).mkdir()
    film = write_film(tmp_path / "a.mp4", grey(8), 10).read_bytes()
    for name in ("train/-bcdefghij__000003_000013", "train/abcdefghijk_000012_000022"):
        (source / f"{name}.mp4").write_bytes(film)
    (source / "test/zzzzzzzzzzz_000000_000010.mp4").write_bytes(film)
    rows = [
        ["swimming, backstroke", "-bcdefghij_", 3, 13, "train"],
        ["archery", "abcdefghijk", 12, 22, "train"],
        ["archery", "abcdefghijk", 40, 50, "train"],
    ]
    write_list(source / "annotations/train.csv", rows)
    rows = [["zzzzzzzzzzz", 0, 10, "test"]]
    write_list(source / "annotations/kinetics_700_test.csv", rows, label=False)
    return source


def test_clips_of_lists(lists):
    with pytest.warns(UserWarning, match="1 of 3 videos that train.csv lists are absent"):
        builder = prepare(builder_of(lists))
    assert builder.info.features["label"].names == ["archery", "swimming, backstroke"]
    labels = {example["file"]: example["label"] for example in examples(builder)}
    assert labels == {
        b"-bcdefghij__000003_000013.mp4": 1,
        b"abcdefghijk_000012_000022.mp4": 0,
    }
    assert [example["label"] for example in examples(builder, "test")] == [-1]


def test_files_and_lists_that_do_not_match(lists, tmp_path):
    film = lists / "train/abcdefghijk_000012_000022.mp4"
    film.rename(lists / "train/abcdefghijk_000013_000023.mp4")
    with pytest.raises(ValueError, match="_000013_000023.mp4 must be of a class .* of train.csv"):
        prepare(builder_of(lists))
    with pytest.warns(UserWarning) as caught:
        prepare(builder_of(lists, corrupt="skip"))
    assert sorted(str(warning.message) for warning in caught) == [
        "1 of 3 files were skipped: train/abcdefghijk_000013_000023.mp4",
        "2 of 3 videos that train.csv lists are absent",
    ]
    path = lists / "annotations/train.csv"
    for text, message in [
        ("label,youtube_id,time_start\na,b,c\n", "Received: line 2"),
        ("a,b\n1,2\n", "must have the columns label, youtube_id, time_start and time_end"),
    ]:
        path.write_text(text)
        with pytest.raises(ValueError, match=f"train.csv .*{message}"):
            builder_of(lists, num_clips=2)
    path.write_bytes(b"\xff\xfe\x00label")
    with pytest.raises(ValueError, match="train.csv must be text in UTF-8"):
        builder_of(lists, num_clips=2)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "must be a video. Received: an empty file"),
        (b"<html>This video is not available</html>", "must be a video"),
        (None, "must be 0.5 s long or more. Received: 0.3 s"),
    ],
)
def test_broken_videos(folders, tmp_path, content, message):
    path = folders / "train/air drumming/b.mp4"
    if content is None:
        write_film(path, grey(3), 10)
    else:
        path.write_bytes(content)
    before = files_below(tmp_path)
    with pytest.raises(ValueError, match=f"air drumming/b.mp4 {message}"):
        prepare(builder_of(folders))
    assert files_below(tmp_path) == before
    with pytest.warns(UserWarning, match="1 of 4 files were skipped: train/air drumming/b.mp4"):
        assert len(examples(prepare(builder_of(folders, corrupt="skip")))) == 2


def test_a_class_that_is_not_in_train(folders):
    (folders / "val/air drumming").rename(folders / "val/air guitar")
    with pytest.raises(ValueError, match="guitar/c.mp4 must be of a class .*'air guitar'"):
        prepare(builder_of(folders))


def test_directories_without_videos(folders, tmp_path):
    (folders / "val/air drumming/c.mp4").unlink()
    with pytest.raises(ValueError, match="must have videos in a folder a class in .*val. Received"):
        prepare(builder_of(folders))
    with pytest.raises(ValueError, match="must have videos in train/<class>/, or train.csv"):
        builder_of(tmp_path / "kinetics/train/air drumming")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_frames": 0}, "`num_frames` must be a whole number of at least 1"),
        ({"size": 2.5}, "`size` must be a whole number"),
        (
            {"num_frames": 5, "frame_rate": 24, "sampling_rate": 44100},
            "`sampling_rate` must give a whole number of",
        ),
    ],
)
def test_bad_arguments(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        KineticsVideos(data_dir=tmp_path, **options)


def test_a_pipeline(folders, tmp_path):
    where = {"source_dir": folders, "data_dir": tmp_path / "data"}
    options = {**OPTIONS, "frames": 4}
    batches = kp.data.load("kinetics_videos", "validation", batch_size=2, **options, **where)
    inputs, labels = next(iter(batches))
    assert inputs["video"].shape == (1, 4, 8, 8, 3) and inputs["audio"].shape == (1, 2000, 1)
    assert labels.numpy().tolist() == [0]
    again = kp.data.load(
        "kinetics_videos", batch_size=2, data_dir=tmp_path / "data", **options
    )  # prepared: the files are not needed
    assert set(np.concatenate([y for _, y in again])) <= {0, 1}
