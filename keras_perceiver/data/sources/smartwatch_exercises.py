"""Movements of a smartwatch during exercises from seglearn."""

import inspect

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file

DISTRIBUTION = "seglearn==1.2.5"
WATCH = "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537"
SUBJECTS = {"train": range(1, 8), "validation": range(8, 9), "test": range(9, 11)}


class SmartwatchExercises(tfds.core.GeneratorBasedBuilder):
    """140 recordings of a smartwatch: seven shoulder exercises by ten people, with either arm.

    The file inside seglearn, a part of the study of 20 people. A recording is some twenty
    repetitions of one exercise, 947 to 2,618 steps at 50 Hz. Each person did each exercise once
    with either arm. Train has people 1 to 7, validation person 8, test 9 and 10.

    Features: "series" (steps, 6) float32: acceleration x, y, z, then rotation x, y, z, as recorded;
    "label": PEN (pendulum), ABD (abduction), FEL (forward elevation), IR and ER (internal and
    external rotation), TRAP (trapezius extension), ROW (upright row); "subject" 1 to 10; "side"
    left or right.

    Licence: seglearn is BSD-3-Clause and holds the data of its author's study.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "series": tfds.features.Tensor(shape=(None, 6), dtype=np.float32),
                    "label": tfds.features.ClassLabel(
                        names=["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"]
                    ),
                    "subject": tfds.features.Scalar(np.int64),
                    "side": tfds.features.ClassLabel(names=["left", "right"]),
                }
            ),
            supervised_keys=("series", "label"),
            homepage="https://github.com/dmbee/seglearn",
            license="BSD-3-Clause",
            citation="D. Burns, N. Leung, M. Hardisty, C. Whyne, P. Henry, S. McLachlin, Shoulder "
            "Physiotherapy Exercise Recognition: Machine Learning the Inertial Signals from a "
            "Smartwatch, Physiological Measurement 39(7), 2018, arXiv:1802.01489.",
        )

    def _split_generators(self, dl_manager):
        path = package_file("seglearn", "data/watch_dataset.npy", DISTRIBUTION, WATCH)
        # A dict of arrays can only be kept as a pickle. Its SHA-256 was just found to be that of
        # the file in the package, so that it is as trustworthy as the package's code.
        watch = np.load(path, allow_pickle=True).item()
        return {name: self._generate_examples(watch, of) for name, of in SUBJECTS.items()}

    def _generate_examples(self, watch, subjects):
        for index in np.flatnonzero(np.isin(watch["subject"], subjects)):
            yield (
                int(index),
                {
                    "series": watch["X"][index].astype("float32"),
                    "label": watch["y_labels"][watch["y"][index]],
                    "subject": int(watch["subject"][index]),
                    "side": int(watch["side"][index]),  # 1 = right
                },
            )
