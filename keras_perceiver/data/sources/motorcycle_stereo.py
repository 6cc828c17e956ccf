"""A stereo pair with true disparity from scikit-image."""

import inspect

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file

DISTRIBUTION = "scikit-image==0.26.0"
FILES = {
    "left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "right.png": "5fc913ae870e42a4b662314bc904d1786bcad8e2f0b9b67dba5a229406357797",
    "disp.npz": "2e49c8cebff3fa20359a0cc6880c82e1c03bbb106da81a177218281bc2f113d7",
}


class MotorcycleStereo(tfds.core.GeneratorBasedBuilder):
    """One pair of photographs of a motorcycle with its true optical flow: a test, not for training.

    "Motorcycle" of the Middlebury stereo benchmark of 2014 at a quarter of its size, inside
    scikit-image. The two cameras stand side by side, so that a point at (x, y) of the left image is
    at (x - disparity, y) of the right one: the flow from left to right is (-disparity, 0), measured
    by structured light and known to a fraction of a pixel. (scikit-image's docstring has the
    disparity in the frame of the right image; the pixels say otherwise, and a test here shows it.)

    Features: "first" and "second" (500, 741, 3) uint8, left and right; "flow" (500, 741, 2) float32
    in pixels, horizontal then vertical; "valid" (500, 741) bool, False where the disparity is
    unknown (the flow is 0 there). A valid point may be hidden or outside in the second image.

    Licence: scikit-image is BSD-3-Clause and names no other licence for these files; Middlebury
    asks that the paper be cited.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "first": tfds.features.Image(shape=(500, 741, 3)),
                    "second": tfds.features.Image(shape=(500, 741, 3)),
                    "flow": tfds.features.Tensor(shape=(500, 741, 2), dtype=np.float32),
                    "valid": tfds.features.Tensor(shape=(500, 741), dtype=np.bool_),
                }
            ),
            license="BSD-3-Clause (the package); that of the data is not told",
            homepage="https://vision.middlebury.edu/stereo/data/scenes2014/",
            citation="D. Scharstein, H. Hirschmueller, Y. Kitajima, G. Krathwohl, N. Nesic, "
            "X. Wang, P. Westling, High-resolution Stereo Datasets with Subpixel-accurate Ground "
            "Truth, GCPR 2014.",
        )

    def _split_generators(self, dl_manager):
        paths = {
            name: package_file("skimage", f"data/motorcycle_{name}", DISTRIBUTION, sha256)
            for name, sha256 in FILES.items()
        }
        return {"test": self._generate_examples(paths)}

    def _generate_examples(self, paths):
        disparity = np.load(paths["disp.npz"])["arr_0"].astype("float32")
        valid = np.isfinite(disparity)
        horizontal = -np.where(valid, disparity, 0)
        yield (
            0,
            {
                "first": paths["left.png"],
                "second": paths["right.png"],
                "flow": np.stack([horizontal, np.zeros_like(horizontal)], axis=-1),
                "valid": valid,
            },
        )
