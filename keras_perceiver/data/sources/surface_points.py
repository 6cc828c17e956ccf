"""Points on curved surfaces."""

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.made_builder import MadeBuilder
from keras_perceiver.data.sources.parametric_surface import SURFACES, parametric_surface
from keras_perceiver.data.sources.points_on_mesh import points_on_mesh


class SurfacePoints(MadeBuilder):
    """Point clouds of ten surfaces, from a sphere to a Klein bottle: ModelNet40 in small.

    Each is of random proportions, turned about its upright axis, and of random size (the farthest
    point lies 0.8 to 1.25 from the middle). Points are sampled by area and then displaced.

    Args:
        num_points: Points of a surface.
        noise: Hundredths of the size by which points are displaced (standard deviation).
        seed: Fixes the data.
        num_train, num_validation, num_test: Examples of each split; multiples of 10 give exactly
            balanced labels.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with `points` `(num_points, 3)` float32, and `label`.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> builder = SurfacePoints(num_points=512)
    >>> builder.download_and_prepare()

    Reference: Perceiver (arXiv 2103.03206), section 4.4.
    """

    def __init__(
        self,
        *,
        num_points=512,
        noise=2,
        seed=0,
        num_train=4000,
        num_validation=500,
        num_test=1000,
        **others,
    ):
        options = {
            "num_points": arguments.whole_number("num_points", num_points),
            "noise": arguments.whole_number("noise", noise, at_least=0),
        }
        counts = {"num_train": num_train, "num_validation": num_validation, "num_test": num_test}
        super().__init__(options, seed=seed, **counts, **others)

    def made(self, number, split, random):
        name = SURFACES[number % len(SURFACES)]
        vertices, triangles = parametric_surface(name, random)
        vertices = vertices - (vertices.min(0) + vertices.max(0)) / 2
        vertices *= random.uniform(0.8, 1.25) / np.linalg.norm(vertices, axis=1).max()
        points = points_on_mesh(vertices, triangles, self.options["num_points"], random)
        angle = random.uniform(0, 2 * np.pi)
        cos, sin = np.cos(angle), np.sin(angle)
        points = points @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
        points += random.normal(0, self.options["noise"] / 100, points.shape)
        points = points.astype("float32")
        return {"points": points, "label": name}

    def described(self):
        return {
            "description": "Point clouds of ten curved surfaces.",
            "features": tfds.features.FeaturesDict(
                {
                    "points": tfds.features.Tensor(
                        shape=(self.options["num_points"], 3), dtype=np.float32
                    ),
                    "label": tfds.features.ClassLabel(names=list(SURFACES)),
                }
            ),
            "supervised_keys": ("points", "label"),
        }
