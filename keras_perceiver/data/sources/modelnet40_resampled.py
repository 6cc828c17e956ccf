"""ModelNet40 from its points sampled beforehand."""

import zlib

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.files_builder import FilesBuilder
from keras_perceiver.data.sources.text_lines import text_lines

_SPLITS = ("train", "test")


class Modelnet40Resampled(FilesBuilder):
    """ModelNet40 as points with normals: the text files that came with PointNet++.

    Each has 10,000 lines of x, y, z and the normal there, separated by commas. From each file,
    `num_points` are drawn without repetition, from a seed of the file's own. Expected is:

        source_dir/modelnet40_shape_names.txt    a class a line
        source_dir/modelnet40_train.txt          a name such as airplane_0001 a line
        source_dir/modelnet40_test.txt
        source_dir/airplane/airplane_0001.txt

    A split whose list is missing is absent; listed files that are missing are counted in a warning.

    Args:
        source_dir: The user's directory, such as `modelnet40_normal_resampled`. Data that are
            prepared already are read without it.
        num_points: Points of an object.
        seed: Fixes the draw.
        corrupt: "stop" or "skip": what happens at a file that cannot be used.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with `points` and `normals`, both `(num_points, 3)` float32, `label`, and `object`.

    Raises:
        ValueError: if an argument is wrong, or a file or a list is not as above.

    Example:

    >>> builder = Modelnet40Resampled(source_dir="~/modelnet40_normal_resampled")
    >>> builder.download_and_prepare()

    Reference: C. Qi et al., "PointNet++" (arXiv 1706.02413), from which the Perceiver (arXiv
    2103.03206, section 4.4) takes its preparation.
    """

    def __init__(self, *, source_dir=None, num_points=2048, seed=0, corrupt="stop", **others):
        options = {
            "num_points": arguments.whole_number("num_points", num_points),
            "seed": arguments.whole_number("seed", seed, at_least=0),
        }
        super().__init__(options, source_dir=source_dir, corrupt=corrupt, **others)

    def class_names(self, source_dir):
        path = source_dir / "modelnet40_shape_names.txt"
        names = _lines(path) if path.is_file() else []
        if not names or len(set(names)) < len(names):
            problem = "there is no such file" if not path.is_file() else f"{len(names)} lines"
            raise ValueError(
                "`source_dir` must have modelnet40_shape_names.txt, a class a line, each once. "
                f"Received: {problem}, {path}"
            )
        return names

    def listed(self, source_dir):
        found = {}
        for split in _SPLITS:
            path = source_dir / f"modelnet40_{split}.txt"
            if not path.is_file():
                continue
            names = _lines(path)
            paths = {name: source_dir / _class_of(name) / f"{name}.txt" for name in names}
            present = {name: file for name, file in paths.items() if file.is_file()}
            if not present:
                raise ValueError(
                    f"`source_dir` must have files that {path.name} lists. Received: none of "
                    f"{len(names)} in {source_dir}"
                )
            if len(present) < len(paths):
                absent = len(paths) - len(present)
                self.note_absent(
                    f"{absent} of {len(paths)} files that {path.name} lists are absent"
                )
            found[split] = present
        if not found:
            raise ValueError(
                "`source_dir` must have modelnet40_train.txt or modelnet40_test.txt. Received: "
                f"neither in {source_dir}"
            )
        return found

    def read(self, key, item):
        label = _class_of(key)
        if label not in self.info.features["label"].names:
            raise CorruptFile(item, "must be of a class in modelnet40_shape_names.txt")
        try:
            lines = _lines(item)
            rows = np.loadtxt(lines or ["0"], "float32", delimiter=",", ndmin=2)[: len(lines)]
        except ValueError as error:
            raise CorruptFile(item, f"must be lines of 6 numbers: {error}") from error
        count = self.options["num_points"]
        if len(rows) < count or rows.shape[1] != 6 or not np.isfinite(rows).all():
            came = f"{rows.shape[0]} lines of {rows.shape[1]} numbers"
            wanted = f"{count} lines or more of 6 finite numbers"
            raise CorruptFile(item, f"must be {wanted}. Received: {came}")
        random = np.random.default_rng([self.options["seed"], zlib.crc32(key.encode())])
        rows = rows[random.choice(len(rows), count, replace=False)]
        return {"": {"points": rows[:, :3], "normals": rows[:, 3:], "label": label, "object": key}}

    def described(self):
        shape = (self.options["num_points"], 3)
        return {
            "description": "ModelNet40 as points with normals, sampled beforehand.",
            "homepage": "https://modelnet.cs.princeton.edu",
            "features": tfds.features.FeaturesDict(
                {
                    "points": tfds.features.Tensor(shape=shape, dtype=np.float32),
                    "normals": tfds.features.Tensor(shape=shape, dtype=np.float32),
                    "label": self.class_label(),
                    "object": tfds.features.Text(),
                }
            ),
            "supervised_keys": ("points", "label"),
        }


def _lines(path):
    return [line.strip() for line in text_lines(path) if line.strip()]


def _class_of(name):
    return name.rpartition("_")[0]
