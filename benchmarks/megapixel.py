"""Peak memory of one training step on an image of 1,048,576 pixels, for each way of attention.

    python benchmarks/megapixel.py          (writes benchmarks/results/megapixel.md)

Each way runs in a separate process: batch 1, 512 latents of width 512, 4 self-attends, AdamW.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.side import resident

WAYS = {
    "separable": {"attention": "separable"},
    "chunked, one head": {"attention": "chunked"},
    "chunked, 4 heads": {
        "attention": "chunked",
        "num_cross_attention_heads": 4,
        "qk_channels": 256,
        "v_channels": 256,
    },
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=1024, help="pixels along each side")
    parser.add_argument("--way", choices=WAYS, help="run only this way, in this process")
    options = parser.parse_args()
    if options.way:
        print(json.dumps(one_step(options.way, options.size)))
        return
    lines = [
        f"One training step, batch 1, {options.size} x {options.size} pixels, 512 latents of 512, "
        "on CPU.",
        "",
        "| attention | peak memory of the process, GiB | before the step, GiB | seconds |",
        "|---|---|---|---|",
    ]
    for way in WAYS:
        command = [sys.executable, __file__, "--way", way, "--size", str(options.size)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            lines.append(f"| {way} | did not finish (exit {run.returncode}) | | |")
        else:
            found = json.loads(run.stdout.splitlines()[-1])
            numbers = (found["peak"], found["before"], found["seconds"])
            lines.append(f"| {way} | " + " | ".join(f"{n:.2f}" for n in numbers) + " |")
        print(lines[-1], flush=True)
    lines += ["", "Written by `python benchmarks/megapixel.py`."]
    path = Path(__file__).parent / "results" / "megapixel.md"
    path.write_text("\n".join(lines) + "\n")
    print(path)


def one_step(way, size):
    """Peak memory of this process in GiB before and after one step, and the step's seconds."""
    import time

    import numpy as np

    import keras_perceiver as kp

    model = kp.build_classifier(
        kp.Image(size, size),
        10,
        num_latents=512,
        latent_dim=512,
        jit_compile=False,
        **WAYS[way],
    )
    images = np.random.default_rng(0).normal(size=(1, size, size, 3)).astype("float32")
    before = resident("VmHWM") / 2**30
    start = time.time()
    loss = model.train_on_batch(images, np.array([3]))
    assert np.isfinite(loss[0] if isinstance(loss, (list, tuple)) else loss)
    return {"before": before, "peak": resident("VmHWM") / 2**30, "seconds": time.time() - start}


if __name__ == "__main__":
    main()
