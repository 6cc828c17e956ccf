"""The table of docs/data.md, from the data sets themselves.

    python -m tests.data.sources.data_table

prepares them all in a directory of its own, in about a minute, and prints the table.
"""

import importlib
import pathlib
import tempfile

import numpy as np

from keras_perceiver.data.sources import BUILDERS
from tests.data.sources.prepared import PACKAGES, builder_class, counts, prepared

HEAD = ["name", "inside", "licence", "train / validation / test", "features"]


def table(directory):
    """Lines of Markdown, one for each data set and configuration."""
    rows = [HEAD, ["---"] * len(HEAD)]
    for name in PACKAGES:
        for config in builder_class(name).builder_configs or [None]:
            options = {} if config is None else {"config": config}
            rows.append(_row(name, prepared(name, directory, **options), config))
    return ["| " + " | ".join(row) + " |" for row in rows]


def _row(name, builder, config):
    module = importlib.import_module(BUILDERS[name].split(":")[0])
    packages = getattr(module, "DISTRIBUTIONS", None) or (module.DISTRIBUTION,)
    sizes = counts(builder)
    return [
        f"`{name}/{config}`" if config else f"`{name}`",
        ", ".join(package.partition("==")[0] for package in packages),
        builder.info.redistribution_info.license,
        " / ".join(f"{sizes[s]:,}" if s in sizes else "-" for s in ("train", "validation", "test")),
        ", ".join(f"{key} {_kind(feature)}" for key, feature in builder.info.features.items()),
    ]


def _kind(feature):
    """In words: the number of classes, "text", or shape and type."""
    classes = getattr(feature, "num_classes", None)
    if classes:
        return f"(of {classes})"
    dtype = np.dtype(feature.np_dtype)
    if dtype == np.object_:
        return "(text)"
    shape = " x ".join("n" if size is None else str(size) for size in feature.shape)
    return f"({shape} {dtype})" if shape else f"({dtype})"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        print("\n".join(table(pathlib.Path(directory))))
