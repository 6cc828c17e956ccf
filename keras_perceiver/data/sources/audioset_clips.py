"""AudioSet from a user's clips."""

import csv
import re
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.file_listing import file_listing
from keras_perceiver.data.sources.files_builder import FilesBuilder
from keras_perceiver.data.sources.film import FILMS
from keras_perceiver.data.sources.sound_clip import SOUNDS, sound_clip
from keras_perceiver.data.sources.text_lines import text_lines
from keras_perceiver.data.sources.video_clip import video_clip

_LISTS = {  # the split -> its list
    "balanced_train": "balanced_train_segments.csv",
    "unbalanced_train": "unbalanced_train_segments.csv",
    "eval": "eval_segments.csv",
}
_TIMES = re.compile(r"(_\d+(\.\d+)?){0,2}")  # what may follow the id: start and end
_EARLY = 0.5  # seconds by which a clip may be shorter than its list says


class _Segment(NamedTuple):
    path: object
    start: float
    seconds: float
    labels: list
    listed: str


class AudiosetClips(FilesBuilder):
    """Sounds of AudioSet, 10 s each, with their events: 527 classes, several in a sound.

    AudioSet is distributed as lists; the clips are the user's own. Expected are:

        source_dir/class_labels_indices.csv
        source_dir/eval_segments.csv, balanced_train_segments.csv, unbalanced_train_segments.csv
        source_dir/<any directories>/<clip>

    A clip is named by its YouTube id, alone or with the start, or the start and the end, in seconds
    or milliseconds, and with or without a Y in front: `--4gqARaEJE.wav`, `--4gqARaEJE_0.flac`,
    `Y--4gqARaEJE_0.000_10.000.mp3`, `--4gqARaEJE_0_10000.mp4`. Sounds are preferred to videos of
    the same clip. Listed clips that are missing are counted in a warning, and a split of which no
    clip is there is left out. A clip may be half a second shorter than listed; if it is longer, its
    start is taken, but twice the length means that it was not cut.

    Args:
        source_dir: The user's directory. Data that are prepared already are read without it.
        sampling_rate: Samples a second to convert to, or None for those of each file.
        channels: Channels of the sound.
        video: Whether to read pictures, too; then only videos are clips.
        frame_rate, size: With `video`, pictures a second, and their height and width.
        corrupt: "stop" or "skip": what happens at a file that cannot be used.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with `audio` `(num_samples, channels)` float32, `sampling_rate`, `labels` (class
        numbers, of unequal count), `clip` (the YouTube id), and with `video`
        `video` `(num_frames, size, size, 3)` uint8.

    Raises:
        ValueError: if an argument is wrong, a list or a clip is not as above, or there is no clip.

    Example:

    >>> builder = AudiosetClips(source_dir="~/audioset", sampling_rate=16000)
    >>> builder.download_and_prepare()

    Reference: J. Gemmeke et al., "Audio Set", ICASSP 2017; Perceiver (arXiv 2103.03206), section
    4.3.
    """

    def __init__(
        self,
        *,
        source_dir=None,
        sampling_rate=48000,
        channels=1,
        video=False,
        frame_rate=25,
        size=224,
        corrupt="stop",
        **others,
    ):
        options = {
            "sampling_rate": arguments.optional_whole_number("sampling_rate", sampling_rate),
            "channels": arguments.whole_number("channels", channels),
            "video": arguments.flag("video", video),
            "frame_rate": arguments.whole_number("frame_rate", frame_rate),
            "size": arguments.whole_number("size", size),
        }
        super().__init__(options, source_dir=source_dir, corrupt=corrupt, **others)

    def class_names(self, source_dir):
        return [name for name, _ in _classes(source_dir / "class_labels_indices.csv")]

    def listed(self, source_dir):
        lists = {split: source_dir / name for split, name in _LISTS.items()}
        segments = {split: _segments(path) for split, path in lists.items() if path.is_file()}
        if not segments:
            raise ValueError(
                f"`source_dir` must have {', '.join(_LISTS.values())}, or some of them. Received: "
                f"none of them in {source_dir}"
            )
        kinds = FILMS if self.options["video"] else (*FILMS, *SOUNDS)
        files = {}
        for path in sorted(file_listing(source_dir, kinds), key=_sounds_last):
            for clip in _possible_clips(path.stem):
                files[clip] = path
        found = {}
        for split, listed in segments.items():
            present = {c: s._replace(path=files[c]) for c, s in listed.items() if c in files}
            if len(present) < len(listed):
                absent = len(listed) - len(present)
                self.note_absent(
                    f"{absent} of {len(listed)} clips that {_LISTS[split]} lists are absent"
                )
            if present:
                found[split] = present
        if not found:
            raise ValueError(
                "`source_dir` must have clips that are listed, named <YouTube id>.wav or as "
                f"<YouTube id>_<start>.wav. Received: none of {sum(map(len, segments.values()))} "
                f"below {source_dir}"
            )
        names = {mid: name for name, mid in _classes(source_dir / "class_labels_indices.csv")}
        self._name_of = names
        return found

    def read(self, key, item):
        path, seconds = item.path, item.seconds
        unknown = [mid for mid in item.labels if mid not in self._name_of]
        if unknown:
            where = "labels in class_labels_indices.csv"
            raise CorruptFile(path, f"must have {where}. Received: {unknown[0]!r}, {item.listed}")
        starts = _starts(path.stem, key)
        if starts and min(abs(start - item.start) for start in starts) > _EARLY:
            raise CorruptFile(path, f"must start at {item.start:g} s, as {item.listed} says")
        samples, rate = sound_clip(path, self.options["sampling_rate"], self.options["channels"])
        if not seconds - _EARLY <= len(samples) / rate <= 2 * seconds:
            wanted = f"the {seconds:g} s that {item.listed} says"
            raise CorruptFile(path, f"must have {wanted}. Received: {len(samples) / rate:g} s")
        example = {
            "audio": samples[: round(seconds * rate)],
            "sampling_rate": rate,
            "labels": [self._name_of[mid] for mid in item.labels],
            "clip": key,
        }
        if self.options["video"]:
            rate, size = self.options["frame_rate"], self.options["size"]
            example["video"], _ = video_clip(path, None, rate, size, at_most=seconds)
        return {"": example}

    def described(self):
        channels, size = self.options["channels"], self.options["size"]
        features = {
            "audio": tfds.features.Tensor(shape=(None, channels), dtype=np.float32),
            "sampling_rate": tfds.features.Scalar(np.int32),
            "labels": tfds.features.Sequence(self.class_label()),
            "clip": tfds.features.Text(),
        }
        if self.options["video"]:
            shape = (None, size, size, 3)
            features["video"] = tfds.features.Video(shape=shape, encoding_format="jpeg")
        return {
            "description": "Sounds of 10 seconds from AudioSet with the events in them.",
            "homepage": "https://research.google.com/audioset",
            "features": tfds.features.FeaturesDict(features),
        }


def _sounds_last(path):
    return path.suffix.lower() not in FILMS, path


def _possible_clips(stem):
    """The ids that a name can stand for: a first Y may belong to the id."""
    for text in {stem, stem.removeprefix("Y")}:
        if len(text) >= 11 and _TIMES.fullmatch(text[11:]):
            yield text[:11]


def _starts(stem, clip):
    """The start in a name, taken as seconds and as milliseconds; nothing if it has none."""
    times = stem[stem.index(clip) + len(clip) :].split("_")[1:]
    return [float(times[0]), float(times[0]) / 1000] if times else []


def _classes(path):
    """The name and the identifier of each class, in the order of their labels."""
    if not path.is_file():
        raise ValueError(
            f"`source_dir` must have class_labels_indices.csv. Received: no such file, {path}"
        )
    rows = list(csv.DictReader(text_lines(path)))
    try:
        rows.sort(key=lambda row: int(row["index"]))
        found = [(row["display_name"], row["mid"]) for row in rows]
        whole = [int(row["index"]) for row in rows] == list(range(len(rows))) and rows
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole or len(dict(found)) < len(found):
        raise ValueError(
            f"{path} must have the columns index, mid, display_name, with indices from 0 and each "
            "name once. It does not"
        )
    return found


def _segments(path):
    """The segments of a list by their clips."""
    found = {}
    rows = csv.reader(text_lines(path), skipinitialspace=True)
    for number, row in enumerate(rows, start=1):
        if not row or row[0].startswith("#"):
            continue
        try:
            clip, start, end, labels = row
            start, end = float(start), float(end)
        except ValueError:
            start = end = 0.0
        if not end > start >= 0:
            raise ValueError(
                f"{path} must have lines of a YouTube id, a start, a later end, and labels in "
                f"quotation marks. Received: line {number}, {row}"
            )
        where = f"line {number} of {path.name}"
        found[clip] = _Segment(None, start, end - start, labels.split(","), where)
    return found
