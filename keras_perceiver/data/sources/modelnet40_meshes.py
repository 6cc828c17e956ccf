"""ModelNet40 from its meshes."""

import zlib

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.file_listing import file_listing, folders_in
from keras_perceiver.data.sources.files_builder import FilesBuilder
from keras_perceiver.data.sources.off_mesh import off_mesh
from keras_perceiver.data.sources.points_on_mesh import points_on_mesh

_SPLITS = ("train", "test")


class Modelnet40Meshes(FilesBuilder):
    """Points on the meshes of ModelNet40: 9,843 objects to train on and 2,468 to test, 40 classes.

    Points are sampled uniformly by area, in the coordinates of the file, from a seed of each file's
    own. Expected are the directories as ModelNet40.zip and ModelNet10.zip have them, any classes:

        source_dir/airplane/train/airplane_0001.off
        source_dir/airplane/test/airplane_0627.off

    Args:
        source_dir: The user's directory. Data that are prepared already are read without it.
        num_points: Points of an object.
        seed: Fixes the points.
        corrupt: "stop" or "skip": what happens at a file that cannot be used.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with `points` `(num_points, 3)` float32, `label`, and `object`, the file's name.

    Raises:
        ValueError: if an argument is wrong, or a file is not a mesh with an area.

    Example:

    >>> builder = Modelnet40Meshes(source_dir="~/ModelNet40", num_points=2048)
    >>> builder.download_and_prepare()
    >>> train = builder.as_dataset("train")

    Reference: Z. Wu et al., "3D ShapeNets" (arXiv 1406.5670); Perceiver (arXiv 2103.03206),
    section 4.4.
    """

    def __init__(self, *, source_dir=None, num_points=2048, seed=0, corrupt="stop", **others):
        options = {
            "num_points": arguments.whole_number("num_points", num_points),
            "seed": arguments.whole_number("seed", seed, at_least=0),
        }
        super().__init__(options, source_dir=source_dir, corrupt=corrupt, **others)

    def class_names(self, source_dir):
        names = [
            path.name
            for path in folders_in(source_dir)
            if any((path / split).is_dir() for split in _SPLITS)
        ]
        if not names:
            raise ValueError(
                "`source_dir` must have meshes in <class>/train/ and <class>/test/. Received: no "
                f"such directory in {source_dir}"
            )
        return names

    def listed(self, source_dir):
        classes = self.class_names(source_dir)
        found = {}
        for split in _SPLITS:
            folders = [source_dir / name / split for name in classes]
            if not any(folder.is_dir() for folder in folders):
                continue
            files = [path for folder in folders for path in file_listing(folder, (".off",))]
            if not files:
                raise ValueError(
                    f"`source_dir` must have .off files in <class>/{split}/. Received: none in "
                    f"{source_dir}"
                )
            found[split] = {path.relative_to(source_dir).as_posix(): path for path in files}
        return found

    def read(self, key, item):
        vertices, triangles = off_mesh(item)
        own_seed = [self.options["seed"], zlib.crc32(key.encode())]
        try:
            points = points_on_mesh(
                vertices, triangles, self.options["num_points"], np.random.default_rng(own_seed)
            )
        except ValueError as error:
            raise CorruptFile(item, f"must be a surface: {error}") from error
        label = key.partition("/")[0]
        return {"": {"points": points.astype("float32"), "label": label, "object": item.stem}}

    def described(self):
        return {
            "description": "Points sampled by area on the meshes of ModelNet40.",
            "homepage": "https://modelnet.cs.princeton.edu",
            "features": tfds.features.FeaturesDict(
                {
                    "points": tfds.features.Tensor(
                        shape=(self.options["num_points"], 3), dtype=np.float32
                    ),
                    "label": self.class_label(),
                    "object": tfds.features.Text(),
                }
            ),
            "supervised_keys": ("points", "label"),
        }
