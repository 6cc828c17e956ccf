"""Small models of transformers: their config.json, weights that are drawn by name, and outputs.

`make_models.py` runs them in PyTorch and stores in `small_models.npz` all but the weights, which
anyone can draw again by `weight`.
"""

import json
import zlib
from pathlib import Path

import numpy as np

from tests.golden.random_weight import random_weight

FILE = Path(__file__).parent / "small_models.npz"
FAMILIES = ("language", "text", "fourier", "learned", "conv", "flow", "multimodal")


def weight(name, shape):
    """An array that depends on the name and the shape alone."""
    return random_weight(name, shape, np.random.default_rng(zlib.crc32(name.encode())))


class SmallModel:
    """One model.

    Attributes:
        config: Text of config.json.
        shapes: {name of a weight: shape}
        inputs, outputs: Arrays by name.
    """

    def __init__(self, family):
        with np.load(FILE) as arrays:
            about = json.loads(str(arrays[family]))
            self.config, self.shapes = about["config"], about["shapes"]
            for kind in ("inputs", "outputs"):
                start = f"{family}/{kind}/"
                found = {key[len(start) :]: arrays[key] for key in arrays if key.startswith(start)}
                setattr(self, kind, found)

    def weights(self):
        return {name: weight(name, shape) for name, shape in self.shapes.items()}

    def save(self, folder, weights=None):
        """Writes what `save_pretrained` writes."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(self.config)
        weights = self.weights() if weights is None else weights
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        return folder
