"""Colour photographs from scikit-image, scikit-learn and matplotlib."""

import inspect

import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file

DISTRIBUTIONS = ("scikit-image==0.26.0", "scikit-learn==1.9.1", "matplotlib==3.11.2")
SKIMAGE = ("skimage", "data", DISTRIBUTIONS[0])
SKLEARN = ("sklearn", "datasets/images", DISTRIBUTIONS[1])
MATPLOTLIB = ("matplotlib", "mpl-data/sample_data", DISTRIBUTIONS[2])

PHOTOGRAPHS = {
    "train": {
        "astronaut.png": (
            SKIMAGE,
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        ),
        "china.jpg": (
            SKLEARN,
            "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        ),
        "coffee.png": (
            SKIMAGE,
            "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        ),
        "grace_hopper.jpg": (
            MATPLOTLIB,
            "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
        ),
        "hubble_deep_field.jpg": (
            SKIMAGE,
            "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        ),
        "ihc.png": (
            SKIMAGE,
            "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
        ),
        "retina.jpg": (
            SKIMAGE,
            "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        ),
    },
    "test": {
        "chelsea.png": (
            SKIMAGE,
            "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        ),
        "flower.jpg": (
            SKLEARN,
            "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        ),
        "rocket.jpg": (
            SKIMAGE,
            "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        ),
    },
}


class Photographs(tfds.core.GeneratorBasedBuilder):
    """Ten colour photographs inside three packages, to be warped or cropped; seven for training.

    | photograph | of | package | licence |
    |---|---|---|---|
    | astronaut | Eileen Collins, NASA | scikit-image | public domain |
    | chelsea | a cat, S. van der Walt | scikit-image | CC0 |
    | china | a temple, danielbuechele | scikit-learn | CC BY 2.0 |
    | coffee | a cup, R. Michetti | scikit-image | CC0 |
    | flower | a dahlia, vultilion | scikit-learn | CC BY 2.0 |
    | grace_hopper | Grace Hopper, US Navy | matplotlib | public domain |
    | hubble_deep_field | galaxies, NASA | scikit-image | public domain |
    | ihc | stained glands, CMMI | scikit-image | no known restrictions |
    | retina | a retina, M. Häggström | scikit-image | CC0 |
    | rocket | a launch, SpaceX | scikit-image | public domain |

    No photograph is in both splits. The motorcycle of `MotorcycleStereo` is in neither.

    Features: "image" (height, width, 3) uint8, from 300 to 1,411 pixels a side; "name".
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(None, None, 3)),
                    "name": tfds.features.Text(),
                }
            ),
            license="public domain, CC0 or CC BY 2.0 (china, flower)",
            homepage="https://scikit-image.org/docs/stable/api/skimage.data.html",
        )

    def _split_generators(self, dl_manager):
        return {
            split: self._generate_examples(
                {
                    name: package_file(package, f"{directory}/{name}", distribution, sha256)
                    for name, ((package, directory, distribution), sha256) in files.items()
                }
            )
            for split, files in PHOTOGRAPHS.items()
        }

    def _generate_examples(self, paths):
        for name, path in paths.items():
            yield name, {"image": path, "name": path.stem}
