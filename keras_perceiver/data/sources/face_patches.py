"""Faces and patches without a face from scikit-image."""

import inspect

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.split_groups import split_groups

DISTRIBUTION = "scikit-image==0.26.0"
PATCHES = "9560ec2f5edfac01973f63a8a99d00053fecd11e21877e18038fbe500f8e872c"


class FacePatches(tfds.core.GeneratorBasedBuilder):
    """100 faces and 100 patches of background from Labeled Faces in the Wild, 25 x 25 pixels.

    The subset inside scikit-image: the first hundred are faces, the others come from the background
    of the same photographs, and many of these are almost uniform. Which photograph a patch is from
    is not told. The file holds numbers from 0 to 1, here rounded to 256 grey levels. Train (75 %)
    and test have as many faces as others.

    Features: "image" (25, 25, 1) uint8; "label": 0 for no_face, 1 for face.

    Licence: scikit-image is BSD-3-Clause and names no other licence for this file; the people who
    made Labeled Faces in the Wild offer it for research. The faces are of public figures: use them
    to try out code, not to recognise anybody.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(25, 25, 1)),
                    "label": tfds.features.ClassLabel(names=["no_face", "face"]),
                }
            ),
            supervised_keys=("image", "label"),
            license="BSD-3-Clause (the package); that of the data is not told",
            homepage="http://vis-www.cs.umass.edu/lfw/",
            citation="G. Huang, M. Mattar, H. Lee, E. Learned-Miller, Learning to Align from "
            "Scratch, NIPS 2012.",
        )

    def _split_generators(self, dl_manager):
        path = package_file("skimage", "data/lfw_subset.npy", DISTRIBUTION, PATCHES)
        images = np.round(np.load(path) * 255).astype("uint8")[..., None]
        labels = (np.arange(len(images)) < 100).astype(int)
        splits = split_groups(np.arange(200), labels, {"train": 0.75, "test": 0.25})
        return {name: self._generate_examples(images, labels, i) for name, i in splits.items()}

    def _generate_examples(self, images, labels, indices):
        for index in indices:
            yield int(index), {"image": images[index], "label": int(labels[index])}
