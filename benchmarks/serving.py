"""Latency and throughput of a SavedModel, cold, and warm at batch sizes of 1 to 64.

    python benchmarks/serving.py                       the digits model of `make demo`, untrained
    python benchmarks/serving.py saved_models/digits/1 any SavedModel with `serving_default`

Takes less than a minute and writes benchmarks/results/serving.md. The model is called through its
signature in a separate process, from one thread; a server adds network and queueing time.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCHES = (1, 2, 4, 8, 16, 32, 64)
RESULTS = Path(__file__).parent / "results" / "serving.md"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", help="folder of a SavedModel's version")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each row")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)  # used for the measuring process
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.seconds)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or export_digits(Path(folder) / "digits")
        command = [sys.executable, __file__, "--measure", str(model)]
        command += ["--seconds", str(options.seconds)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr)
    name = options.model or "the digits model of examples/digits.py"
    text = report(json.loads(run.stdout.splitlines()[-1]), name)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text)
    print(text)
    return 0


def export_digits(folder):
    import keras_perceiver as kp

    model = kp.build_classifier(
        (8, 8, 1), num_classes=10, num_latents=16, latent_dim=64, num_self_attends_per_block=1
    )
    return kp.export.saved_model(model, folder)


def measure(path, seconds):
    """Times in seconds; must run in a process that has not imported TensorFlow yet."""
    start = time.perf_counter()
    import tensorflow as tf

    found = {"import": time.perf_counter() - start, "tensorflow": tf.__version__}
    start = time.perf_counter()
    model = tf.saved_model.load(path)
    found["load"] = time.perf_counter() - start
    serve = model.signatures["serving_default"]

    def request(batch):
        tensors = {}
        for name, spec in serve.structured_input_signature[1].items():
            shape = [batch, *(8 if size is None else size for size in spec.shape[1:])]
            tensors[name] = tf.ones(shape, spec.dtype)
        return tensors

    def seconds_of(tensors):
        start = time.perf_counter()
        for value in serve(**tensors).values():
            value.numpy()
        return time.perf_counter() - start

    found["first request"] = seconds_of(request(1))
    found["rows"] = []
    for batch in BATCHES:
        tensors = request(batch)
        first = seconds_of(tensors)
        times, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 10:
            times.append(seconds_of(tensors))
        times.sort()
        found["rows"].append(
            {
                "batch": batch,
                "requests": len(times),
                "first": first,
                "p50": times[len(times) // 2],
                "p99": times[min(len(times) - 1, int(0.99 * len(times)))],
                "per second": len(times) / sum(times),
            }
        )
    return found


def report(found, name):
    lines = [
        "# Latency of a SavedModel",
        "",
        f"`python benchmarks/serving.py`: {name}, called in process from one thread;",
        f"TensorFlow {found['tensorflow']}, {os.cpu_count()} cores ({platform.machine()}), shared "
        "with other work.",
        "",
        f"Cold: TensorFlow imported in {found['import']:.1f} s, model loaded in "
        f"{found['load']:.2f} s, first request answered in {1000 * found['first request']:.0f} ms.",
        "",
        "Warm:",
        "",
        "| batch | requests/s | examples/s | p50 ms | p99 ms | first, ms | requests |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found["rows"]:
        lines.append(
            f"| {row['batch']} | {row['per second']:.0f} | {row['batch'] * row['per second']:.0f} "
            f"| {1000 * row['p50']:.2f} | {1000 * row['p99']:.2f} | {1000 * row['first']:.1f} "
            f"| {row['requests']} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
