"""Latent self-attention through the backend's fused kernel, against the same without it, on a GPU.

    KERAS_BACKEND=jax python benchmarks/fused_attention.py       (or torch)

Six layers of latent Transformers of the papers' sizes, in bfloat16, forward and a training step,
with and without the kernel in turn. Writes benchmarks/results/fused_attention.md.
"""

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

from benchmarks.machine import gpu_name
from benchmarks.our_worker import OurSide, runner
from keras_perceiver.layers import LatentTransformer, fused_attention

SIZES = {  # latents, width, heads
    "ImageNet": (512, 1024, 8),
    "optical flow": (2048, 512, 16),
    "multimodal": (784, 512, 8),
}
FIELDS = ("latents", "batch", "step", "with, ms", "without, ms", "without over with")


class Layers(OurSide):
    """Six layers of a latent Transformer as a work to be timed."""

    def __init__(self, device, fused):
        super().__init__(runner(jit=True, device=device, threads=1))
        self.fused = fused

    def prepare(self, name, batch, mode):
        num_latents, width, num_heads = SIZES[name]
        latents = keras.Input((num_latents, width), batch, dtype="bfloat16")
        layers = LatentTransformer(6, num_heads=num_heads, dtype="bfloat16")
        model = keras.Model(latents, layers(latents))
        drawn = np.random.default_rng(0).standard_normal(latents.shape, "float32")
        array = keras.ops.cast(self.runner.arrays(drawn), "bfloat16")
        return self.runner.step(model, array, mode)

    def build(self, **work):
        kept = fused_attention.on_gpu
        if not self.fused:
            fused_attention.on_gpu = lambda x: False
        try:
            return super().build(**work)  # traces and compiles
        finally:
            fused_attention.on_gpu = kept


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda", help="of PyTorch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=(1, 16))
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    backend = keras.backend.backend()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "fused_attention.md"
    lines = [
        f"Six self-attends in bfloat16 on {gpu_name()}, {backend}, with and without the fused "
        f"kernel: medians of {options.rounds} turns each.",
        "",
        "| " + " | ".join(FIELDS) + " |",
        "|" + "---|" * len(FIELDS),
    ]
    for name in SIZES:
        for batch in options.batches:
            for mode in ("forward", "train"):
                sides = [Layers(options.device, fused) for fused in (True, False)]
                for side in sides:
                    side.build(name=name, batch=batch, mode=mode)
                turns = [[side.time() for side in sides] for _ in range(options.rounds)]
                fused, plain = (statistics.median(side) for side in zip(*turns))
                times = f"{1e3 * fused:.3f} | {1e3 * plain:.3f} | {plain / fused:.2f}"
                lines.append(f"| {name} | {batch} | {mode} | {times} |")
                print(lines[-1], flush=True)
                end = f"Written by `KERAS_BACKEND={backend} python benchmarks/fused_attention.py`."
                path.write_text("\n".join([*lines, "", end]) + "\n")


if __name__ == "__main__":
    main()
