"""Muscle currents during hand signs from geomstats."""

import csv
import inspect
import itertools

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file

DISTRIBUTION = "geomstats==2.8.0"
EMG = "7f80636be3dc37770da73ca8456ddaad9a0b752ec34b51903f33cf05bdc5ca9a"
GESTURES = ("rest", "rock", "paper", "scissors", "ok")
WINDOW = 256  # rows, about 1.05 seconds
MARGIN = 250  # rows left out at both ends of a gesture, about 1.02 seconds


class ArmGestures(tfds.core.GeneratorBasedBuilder):
    """Electromyograms of a forearm during five hand signs, in windows of about a second.

    The file inside geomstats: 731,682 rows of 8 electrodes, some 244 a second. 24 recordings, six
    in each of the experiments mg_s1, mg_s2, rr_s1 and rr_s2 (two people, two sessions, to go by
    the names), each with 25 seconds of rest, rock, paper, scissors and ok. Rest is a sign like the
    others, and every row is labelled. A second is left out at both ends of a sign, where the hand
    moves; the rest is cut into windows of 256 rows that do not overlap, 21 or 22 a sign.

    Train has five recordings of each first session, validation the sixth; test has the second
    sessions, when the electrodes had been put on anew.

    Features: "series" (256, 8) float32 as recorded: whole numbers, 27 to 249, about 127.5 at rest;
    "label": rest, rock, paper, scissors, ok; "experiment"; "recording" 0 to 23.

    Licence: geomstats is MIT and names no other licence or origin for this file.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "series": tfds.features.Tensor(shape=(WINDOW, 8), dtype=np.float32),
                    "label": tfds.features.ClassLabel(names=GESTURES),
                    "experiment": tfds.features.Text(),
                    "recording": tfds.features.Scalar(np.int64),
                }
            ),
            supervised_keys=("series", "label"),
            license="MIT (the package); that of the data is not told",
            homepage="https://github.com/geomstats/geomstats",
        )

    def _split_generators(self, dl_manager):
        path = package_file("geomstats", "datasets/data/emg/emg.csv", DISTRIBUTION, EMG)
        splits = {"train": [], "validation": [], "test": []}
        for number, (experiment, label, series) in enumerate(_segments(path)):
            recording = number // len(GESTURES)
            split = "train" if recording % 6 < 5 else "validation"
            split = split if experiment.endswith("s1") else "test"
            splits[split].append((recording, experiment, label, series))
        return {name: self._generate_examples(segments) for name, segments in splits.items()}

    def _generate_examples(self, segments):
        for recording, experiment, label, series in segments:
            for start in range(MARGIN, len(series) - MARGIN - WINDOW + 1, WINDOW):
                yield (
                    f"{recording}-{label}-{start}",
                    {
                        "series": series[start : start + WINDOW],
                        "label": label,
                        "experiment": experiment,
                        "recording": recording,
                    },
                )


def _segments(path):
    """(experiment, label, array (rows, 8)) for each sign of each recording, in order."""
    with open(path, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for (label, experiment), group in itertools.groupby(rows, key=lambda row: row[-2:]):
            yield experiment, label, np.array([row[1:9] for row in group], "float32")
