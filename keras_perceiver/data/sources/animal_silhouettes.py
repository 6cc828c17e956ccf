"""Silhouettes of animals from animal-mnist."""

import gzip
import inspect
import pickle

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.near_duplicates import near_duplicates
from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.split_groups import split_groups

DISTRIBUTION = "animal-mnist==0.4"
IMAGES = "68a30346781a0984f839463a4615d2decb899d1ce65091bb92586311754a34ce"
LABELS = "dec8dba7c469830989fbab46825021a08a38470753a512f27ada847eced97b57"
NAMES = ["bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra"]
NEAR = 20


class AnimalSilhouettes(tfds.core.GeneratorBasedBuilder):
    """10,000 silhouettes of ten animals, 28 x 28 pixels, in the format of MNIST.

    The file inside animal-mnist. 284 images are copies of others, and many more are close to
    others. Images that differ by less than 20 grey levels (root mean square, at half the
    resolution) are near duplicates here, as are those linked by a chain of such pairs: 9,328
    groups, the largest of 98. A group is in one split only, so that no test image has a near
    duplicate in train. Each split has the animals in proportion.

    Features: "image" (28, 28, 1) uint8, the animal is bright; "label": bear, bird, cat, cow, dog,
    elephant, giraffe, horse, sheep, zebra.

    Licence: MIT, for the package with its images; where the silhouettes are from is not told.

    Reference: S. Mohammadi, animal-mnist, the Python Package Index, 2025.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(28, 28, 1)),
                    "label": tfds.features.ClassLabel(names=NAMES),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://pypi.org/project/animal-mnist/",
            license="MIT",
        )

    def _split_generators(self, dl_manager):
        images = _array("animal_data_version_3.gz", IMAGES)
        labels = _array("animal_label_version_3.gz", LABELS)
        splits = split_groups(_names(near_duplicates(images, NEAR)), labels)
        return {name: self._generate_examples(images, labels, i) for name, i in splits.items()}

    def _generate_examples(self, images, labels, indices):
        for index in indices:
            yield int(index), {"image": images[index][..., None], "label": int(labels[index])}


def _array(name, sha256):
    """A pickled array, unpickled only after its file was found to be the known one."""
    path = package_file("animal_mnist", f"data/Animal_MNIST/{name}", DISTRIBUTION, sha256)
    with gzip.open(path) as file:
        return pickle.load(file)


def _names(groups):
    """For each image the first one of its group, a name that no library's numbering can change."""
    _, first, group_of = np.unique(groups, return_index=True, return_inverse=True)
    return first[group_of]
