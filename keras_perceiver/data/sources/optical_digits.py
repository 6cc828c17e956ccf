"""Handwritten digits from scikit-learn."""

import inspect

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.split_groups import split_groups

DISTRIBUTION = "scikit-learn==1.9.1"
DIGITS = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"


class OpticalDigits(tfds.core.GeneratorBasedBuilder):
    """Handwritten digits of 13 people, 8 x 8 pixels: the file inside scikit-learn.

    1,797 images, which are the test set of "Optical Recognition of Handwritten Digits". Each pixel
    counts the ink in a cell of 4 x 4 pixels of a bitmap, from 0 to 16; here 0 to 255 as in other
    images (16 becomes 255). Who wrote which digit is not told, so the same hand may be in two
    splits. Train, validation and test have each digit in proportion.

    Features: "image" (8, 8, 1) uint8, ink is bright; "label" 0 to 9.

    Licence: scikit-learn is BSD-3-Clause; the data set at UCI is CC BY 4.0.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80",
            license="CC BY 4.0",
            citation="E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI "
            "Machine Learning Repository, 1998.",
        )

    def _split_generators(self, dl_manager):
        path = package_file("sklearn", "datasets/data/digits.csv.gz", DISTRIBUTION, DIGITS)
        rows = np.loadtxt(path, delimiter=",")
        images = np.round(rows[:, :-1] * (255 / 16)).astype("uint8").reshape(-1, 8, 8, 1)
        labels = rows[:, -1].astype(int)
        splits = split_groups(np.arange(len(labels)), labels)
        return {name: self._generate_examples(images, labels, i) for name, i in splits.items()}

    def _generate_examples(self, images, labels, indices):
        for index in indices:
            yield int(index), {"image": images[index], "label": int(labels[index])}
