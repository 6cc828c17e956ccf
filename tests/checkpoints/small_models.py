"""Small models of transformers: their config.json, weights that are drawn by name, and outputs.

`make_models.py` runs them in PyTorch and stores in `small_models.npz` all but the weights, which
anyone can draw again by `weight`.
"""

import json
import math
import zlib
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "small_models.npz"
FAMILIES = ("language", "text", "fourier", "learned", "conv", "flow", "multimodal")


def weight(name, shape):
    """A float32 array that depends on the name alone, of a size that keeps activations near 1."""
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, "int64")
    random = np.random.default_rng(zlib.crc32(name.encode()))
    normal = random.standard_normal(shape)
    if name.endswith("running_var"):
        value = random.uniform(0.5, 1.5, shape)
    elif name.endswith(("bias", "running_mean")):
        value = 0.1 * normal
    elif "norm" in name:
        value = 1 + 0.1 * normal
    elif name.endswith("embeddings.weight") or not name.endswith("weight"):
        value = 0.5 * normal
    else:
        value = normal / math.sqrt(np.prod(shape[1:]))
        sharp = "cross_attention" in name and name.endswith(("query.weight", "key.weight"))
        value = 2 * value if sharp or name.endswith("conv.weight") else value
    return value.astype("float32")


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
