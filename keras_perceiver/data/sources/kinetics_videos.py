"""Kinetics, or any folder of videos by class."""

import csv
import re

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.file_listing import file_listing, folders_in
from keras_perceiver.data.sources.files_builder import FilesBuilder
from keras_perceiver.data.sources.film import FILMS
from keras_perceiver.data.sources.film_sound import film_sound
from keras_perceiver.data.sources.sound_clip import mixed, resampled
from keras_perceiver.data.sources.text_lines import text_lines
from keras_perceiver.data.sources.video_clip import video_clip

_SPLITS = {  # the split -> how the directories and lists are named
    "train": ("train",),
    "validation": ("val", "validate", "validation", "valid"),
    "test": ("test",),
}
_NAME = re.compile(r"(?P<id>.{11})_(?P<start>\d+)_(?P<end>\d+)")  # id, first and last second


class KineticsVideos(FilesBuilder):
    """Clips of Kinetics-400, -600 or -700, or of any videos in a folder for each class.

    Expected is one of two layouts for each split; `train` is `train`, `validation` is `val`,
    `validate` or `validation`, and `test` is `test`:

        source_dir/train/playing harp/abcdefghijk_000012_000022.mp4    any file name

        source_dir/train.csv, annotations/train.csv or annotations/kinetics_700_train.csv
        source_dir/train/abcdefghijk_000012_000022.mp4                 however deep

    A CSV file is as DeepMind published it (columns label, youtube_id, time_start, time_end), and a
    test list without the column `label` gives the label -1. Videos that are listed and missing are
    counted in a warning. The classes are those of `train` if there is one. A clip lies at
    the middle of its video; several are spread evenly over it.

    Args:
        source_dir: The user's directory. Data that are prepared already are read without it.
        num_frames, frame_rate, size: Pictures of a clip, how many a second, and their height and
            width: the short side is resized, the centre cropped.
        sampling_rate, channels: Samples a second of the sound, and its channels.
        num_clips: Clips of each video.
        corrupt: "stop" or "skip": what happens at a file that cannot be used.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with `video` `(num_frames, size, size, 3)` uint8, `audio` `(num_frames *
        sampling_rate / frame_rate, channels)` float32, `has_audio` (False where the file has no
        sound: `audio` is then silence), `label`, and `file`.

    Raises:
        ValueError: if an argument is wrong, there are no videos, or one is broken, too short, or of
            an unknown class.

    Example:

    >>> builder = KineticsVideos(source_dir="~/k700-2020", num_frames=16, size=224)
    >>> builder.download_and_prepare()

    Reference: L. Smaira et al., "A Short Note on the Kinetics-700-2020 Human Action Dataset" (arXiv
    2010.10864); Perceiver IO (arXiv 2107.14795), section 4.4.
    """

    def __init__(
        self,
        *,
        source_dir=None,
        num_frames=16,
        frame_rate=25,
        size=224,
        sampling_rate=48000,
        channels=1,
        num_clips=1,
        corrupt="stop",
        **others,
    ):
        options = {
            "num_frames": arguments.whole_number("num_frames", num_frames),
            "frame_rate": arguments.whole_number("frame_rate", frame_rate),
            "size": arguments.whole_number("size", size),
            "sampling_rate": arguments.whole_number("sampling_rate", sampling_rate),
            "channels": arguments.whole_number("channels", channels),
            "num_clips": arguments.whole_number("num_clips", num_clips),
        }
        if num_frames * sampling_rate % frame_rate:
            raise ValueError(
                "`sampling_rate` must give a whole number of samples in `num_frames` at "
                f"`frame_rate`. Received: {num_frames} * {sampling_rate} / {frame_rate}"
            )
        self._num_samples = num_frames * sampling_rate // frame_rate
        super().__init__(options, source_dir=source_dir, corrupt=corrupt, **others)

    def class_names(self, source_dir):
        for split in _SPLITS:  # those of the first split that is there and has any
            path, folder = _list_of(source_dir, split), _folder_of(source_dir, split)
            names = {row.get("label", "") for row in _rows(path)} - {""} if path else set()
            if not path and folder:
                names = {path.name for path in folders_in(folder)}
            if names:
                return sorted(names)
        raise ValueError(
            "`source_dir` must have videos in train/<class>/, or train.csv. Received: neither of "
            f"them, nor those of another split, in {source_dir}"
        )

    def listed(self, source_dir):
        found = {}
        for split in _SPLITS:
            folder, path = _folder_of(source_dir, split), _list_of(source_dir, split)
            if folder is None:
                continue
            files = file_listing(folder, FILMS)
            items = {file.relative_to(folder).as_posix(): (file, None) for file in files}
            if path is not None:
                items = self._with_labels(path, items)
            if not items:
                kind = f"a video that {path.name} lists" if path else "videos in a folder a class"
                raise ValueError(
                    f"`source_dir` must have {kind} in {folder}. Received: none of them"
                )
            found[split] = items
        return found

    def _with_labels(self, path, items):
        """Those of the files that are listed, with their labels."""
        labels = {}
        for row in _rows(path):
            label = row.get("label", -1)
            labels[row["youtube_id"], round(float(row["time_start"]))] = label
        matches = {key: _NAME.fullmatch(file.stem) for key, (file, _) in items.items()}
        places = {k: (m["id"], int(m["start"])) if m else None for k, m in matches.items()}
        absent = len(set(labels) - set(places.values()))
        if absent:
            self.note_absent(f"{absent} of {len(labels)} videos that {path.name} lists are absent")
        return {
            key: (file, labels.get(places[key], f"in no line of {path.name}"))
            for key, (file, _) in items.items()
        }

    def read(self, key, item):
        path, label = item
        label = path.parent.name if label is None else label
        if label != -1 and label not in self.info.features["label"].names:
            raise CorruptFile(path, f"must be of a class of the first split. Received: {label!r}")
        options, count = self.options, self.options["num_clips"]
        examples = {}
        for i in range(count):
            video, start = video_clip(
                path,
                options["num_frames"],
                options["frame_rate"],
                options["size"],
                (i + 0.5) / count,
            )
            audio = self._sound(path, start)
            examples[f"/{i}"] = {
                "video": video,
                "audio": np.zeros((self._num_samples, options["channels"]), "float32")
                if audio is None
                else audio,
                "has_audio": audio is not None,
                "label": label,
                "file": key,
            }
        return examples

    def _sound(self, path, start):
        found = film_sound(path, start, self.options["num_frames"] / self.options["frame_rate"])
        if found is None:
            return None
        samples = mixed(path, found[0], self.options["channels"])
        samples, _ = resampled(samples, found[1], self.options["sampling_rate"])
        lacking = max(0, self._num_samples - len(samples))
        return np.pad(samples[: self._num_samples], ((0, lacking), (0, 0)))

    def described(self):
        side, audio = self.options["size"], (self._num_samples, self.options["channels"])
        return {
            "description": "Clips of videos with their sound and class.",
            "features": tfds.features.FeaturesDict(
                {
                    "video": tfds.features.Video(
                        shape=(self.options["num_frames"], side, side, 3), encoding_format="jpeg"
                    ),
                    "audio": tfds.features.Tensor(shape=audio, dtype=np.float32),
                    "has_audio": tfds.features.Scalar(np.bool_),
                    "label": self.class_label(),
                    "file": tfds.features.Text(),
                }
            ),
        }


def _folder_of(source_dir, split):
    folders = (source_dir / name for name in _SPLITS[split])
    return next((folder for folder in folders if folder.is_dir()), None)


def _list_of(source_dir, split):
    for folder in (source_dir, source_dir / "annotations"):
        for name in _SPLITS[split]:
            for path in (folder / f"{name}.csv", *sorted(folder.glob(f"kinetics*_{name}.csv"))):
                if path.is_file():
                    return path
    return None


def _rows(path):
    for number, row in enumerate(csv.DictReader(text_lines(path)), start=2):
        try:
            float(row["time_start"]), row["youtube_id"]
        except (KeyError, TypeError, ValueError):
            raise ValueError(
                f"{path} must have the columns label, youtube_id, time_start and time_end. "
                f"Received: line {number}, {row}"
            ) from None
        yield row
