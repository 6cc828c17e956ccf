"""Outlines of cells from geomstats."""

import inspect

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.split_groups import split_groups

DISTRIBUTION = "geomstats==2.8.0"
FILES = {
    "cells": "76d7ead0f619a93d9c6b026f6e1eada81b5fbc8f54c45f3a48c71babc2dc3918",
    "cell_lines": "cfae6e57367ac429d969627ae3eb539b7e464b95e900360a194da779c5b43ffa",
    "treatments": "3144c1415cc82f74844bfbb23bee70e1e9908ba49e754788c9c3f20b4e67b329",
}


class CellContours(tfds.core.GeneratorBasedBuilder):
    """650 outlines of bone cancer cells of mice, as points: which drug, and which line of cells?

    The files inside geomstats: osteosarcoma cells of two lines, dunn and dlm8 (derived from it and
    more aggressive), without treatment or under jasplakinolide or cytochalasin D, two drugs that
    act on the skeleton of the cell. An outline is a curve of 20 to 1,759 points on the grid of
    pixels, in order. Here each is moved so that its mean is 0, as where a cell lay should tell
    nothing; its size is kept.

    Train, validation and test have each line under each treatment in proportion; two outlines occur
    twice, and copies are in the same split. Which cells were in the same picture is not told.

    Features: "points" (points, 2) float32 in pixels; "label": the treatment, control, cytd or jasp;
    "cell_line": dunn or dlm8.

    Licence: geomstats is MIT and names no other licence for these files.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "points": tfds.features.Tensor(shape=(None, 2), dtype=np.float32),
                    "label": tfds.features.ClassLabel(names=["control", "cytd", "jasp"]),
                    "cell_line": tfds.features.ClassLabel(names=["dunn", "dlm8"]),
                }
            ),
            supervised_keys=("points", "label"),
            license="MIT (the package); that of the data is not told",
            homepage="https://geomstats.github.io/notebooks/"
            "11_real_world_applications__cell_shapes_analysis.html",
            citation="E. Alizadeh, W. Xu, J. Castle, J. Foss, A. Prasad, TISMorph: A Tool to "
            "Quantify Texture, Irregularity and Spreading of Single Cells, PLoS ONE 14(6), 2019.",
        )

    def _split_generators(self, dl_manager):
        texts = {
            name: package_file(
                "geomstats", f"datasets/data/cells/{name}.txt", DISTRIBUTION, sha256
            ).read_text()
            for name, sha256 in FILES.items()
        }
        blocks = texts["cells"].strip().split("\n\n")
        points = [np.array([line.split() for line in b.split("\n")], "float32") for b in blocks]
        points = [outline - outline.mean(0, dtype="float64") for outline in points]
        lines, treatments = texts["cell_lines"].split(), texts["treatments"].split()
        kinds = [f"{line} {treatment}" for line, treatment in zip(lines, treatments)]
        first = {}
        copies = [first.setdefault(block, index) for index, block in enumerate(blocks)]
        return {
            name: self._generate_examples(points, lines, treatments, indices)
            for name, indices in split_groups(copies, kinds).items()
        }

    def _generate_examples(self, points, lines, treatments, indices):
        for index in indices:
            yield (
                int(index),
                {
                    "points": points[index].astype("float32"),
                    "label": treatments[index],
                    "cell_line": lines[index],
                },
            )
