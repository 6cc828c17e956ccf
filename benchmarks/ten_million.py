"""Time and peak memory of a training step, up to ten million inputs.

    python benchmarks/ten_million.py        (writes benchmarks/results/ten_million.md, .json, .png)

Images of 102,400 to 10,485,760 pixels and texts of 100,000 to 1,000,000 bytes, each in a process
of its own: batch 1, 256 latents of width 256, 4 self-attends, AdamW. The first call traces and
compiles; the others are timed, and the table gives their median.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.side import resident

IMAGES = ((320, 320), (640, 480), (1024, 1024), (2048, 1600), (4096, 2560))  # height, width
TEXTS = (100_000, 300_000, 1_000_000)  # bytes
CALLS = 3  # timed, after the first
LIMIT = 6.0  # GiB wanted for the largest


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the two smallest of each kind")
    parser.add_argument("--one", nargs="+", type=int, help="run only this size, in this process")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(steps(options.one)))
        return
    count = 2 if options.quick else None
    rows = [measured(size) for size in IMAGES[:count]]
    rows += [measured((size,)) for size in TEXTS[:count]]
    write(rows, options.quick)


def measured(size):
    """A row of the table, from a process of its own."""
    command = [sys.executable, __file__, "--one", *map(str, size)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {run.returncode}:\n{run.stderr[-2000:]}")
    row = json.loads(run.stdout.splitlines()[-1])
    print(row, flush=True)
    return row


def steps(size):
    """Seconds of the first call and the next ones, peak memory in GiB."""
    import numpy as np

    import keras_perceiver as kp

    random = np.random.default_rng(0)
    if len(size) == 2:
        described, what = kp.Image(*size), f"image of {size[0]} x {size[1]}"
        inputs = random.integers(0, 256, (1, *size, 3)).astype("float32") / 255
    else:
        described, what = kp.Text(max_length=size[0]), f"text of {size[0]:,} bytes"
        inputs = random.integers(6, 262, (1, *size)).astype("int32")
    model = kp.build_classifier(
        described,
        10,
        num_latents=256,
        latent_dim=256,
        num_self_attends_per_block=4,
        jit_compile=False,
    )
    before, seconds = resident("VmHWM") / 2**30, []
    for _ in range(1 + CALLS):
        start = time.perf_counter()
        loss = model.train_on_batch(inputs, np.array([3]))
        seconds.append(time.perf_counter() - start)
        assert np.isfinite(np.min(loss)), loss
    return {
        "what": what,
        "inputs": int(np.prod(size)),
        "parameters": model.count_params(),
        "way": kp.costs(model).ways["encoder"],
        "before": before,
        "peak": resident("VmHWM") / 2**30,
        "first": seconds[0],
        "next": statistics.median(seconds[1:]),
    }


def write(rows, quick):
    lines = [
        "One training step on CPU, batch 1, 256 latents of 256, 4 self-attends, AdamW.",
        "",
        "| inputs | way of attention | peak of the process, GiB | before the step, GiB "
        "| first call, s | next calls, s | next calls, microseconds an input |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        each = 1e6 * row["next"] / row["inputs"]
        lines.append(
            f"| {row['what']} | {row['way']} | {row['peak']:.2f} | {row['before']:.2f} "
            f"| {row['first']:.1f} | {row['next']:.2f} | {each:.2f} |"
        )
    worst = max(row["peak"] for row in rows)
    slowest = max(row["first"] / row["next"] for row in rows if row["inputs"] >= 1_000_000 or quick)
    lines += [
        "",
        f"Largest peak: {worst:.2f} GiB ({'within' if worst <= LIMIT else 'above'} {LIMIT:.0f}). "
        f"First call over the next, at a million inputs and more: at most {slowest:.1f}.",
        "",
        f"Written by `python benchmarks/ten_million.py{' --quick' if quick else ''}`.",
    ]
    path = Path(__file__).parent / "results" / "ten_million.md"
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
    draw(rows, path.with_suffix(".png"))
    print(path)


def draw(rows, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for kind in ("image", "text"):
        chosen = [row for row in rows if row["what"].startswith(kind)]
        counts = [row["inputs"] for row in chosen]
        for axis, key in zip(axes, ("next", "peak")):
            axis.plot(counts, [row[key] for row in chosen], "o-", label=kind)
    axes[0].plot(
        counts := [1e5, 1e7], [1e-6 * n for n in counts], ":", color="grey", label="linear"
    )
    axes[0].set(xscale="log", yscale="log", xlabel="inputs", ylabel="seconds a step")
    axes[1].set(xscale="log", xlabel="inputs", ylabel="peak of the process, GiB", ylim=(0, None))
    axes[1].axhline(LIMIT, color="grey", linestyle=":", label=f"{LIMIT:.0f} GiB")
    for axis in axes:
        axis.legend()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
