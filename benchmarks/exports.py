"""Times exported files of separable against plain attention, and the SavedModel beside them.

    python benchmarks/exports.py            all sizes, about half an hour on two free cores
    python benchmarks/exports.py --quick    few self-attends, so that cross-attention shows

All files of a model are called in turn in one process with the same number of threads. A row has
the median of each and how many times slower the plain file is. Writes
benchmarks/results/exports.md.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnxruntime
import openvino
import tensorflow as tf

import keras_perceiver as kp
from benchmarks.machine import machine

RESULTS = Path(__file__).parent / "results" / "exports.md"
PRESETS = {  # changes of the full sizes, and further ones with --quick
    "perceiver_io_imagenet_fourier": ({}, {"num_blocks": 1, "num_self_attends_per_block": 1}),
    "perceiver_io_optical_flow": (
        {"height": 184, "width": 248, "num_self_attends_per_block": 6},
        {"height": 92, "width": 124, "num_self_attends_per_block": 1},
    ),
    "perceiver_imagenet": (
        {"num_self_attends_per_block": 1},
        {"num_cross_attends": 2},
    ),
}
WAYS = ("plain", "separable")
FORMATS = ("SavedModel", "OpenVINO f32", "OpenVINO bf16", "ONNX", "LiteRT")
FIELDS = ("model", "format", "plain, ms", "separable, ms", "plain / separable")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--models", nargs="*", default=list(PRESETS), choices=list(PRESETS))
    parser.add_argument("--formats", nargs="*", default=list(FORMATS), choices=FORMATS)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    rows = []
    for name in options.models:
        for row in rows_of(name, options):
            rows.append(row)
            print(*row, sep=" | ", flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(report(rows, options))
    return 0


def rows_of(name, options):
    """The rows of one model."""
    with tempfile.TemporaryDirectory() as folder:
        calls = {}
        for way in WAYS:
            model = made(name, way, options.quick)
            request = request_of(model)
            for format in options.formats:
                path = Path(folder) / f"{way}-{format}".replace(" ", "-")
                calls[format, way] = caller(format, model, path, options.threads, request)
        times = in_turn(calls, options.turns)
    for format in options.formats:
        plain, separable = (times[format, way] for way in WAYS)
        yield name, format, f"{plain:.0f}", f"{separable:.0f}", f"{plain / separable:.2f}"


def made(name, way, quick):
    keras.utils.set_random_seed(0)
    changes, quicker = PRESETS[name]
    return kp.presets.get(name).build(**{**changes, **(quicker if quick else {})}, attention=way)


def request_of(model):
    (tensor,) = model.inputs
    numbers = np.random.default_rng(0).normal(size=(1, *tensor.shape[1:]))
    return {tensor.name: numbers.astype("float32")}


def caller(format, model, path, threads, request):
    """Exports a model and returns a function that runs the file once."""
    if format == "SavedModel":
        path = kp.export.saved_model(model, path)
        loaded = tf.saved_model.load(path)
        tensors = {key: tf.constant(value) for key, value in request.items()}

        def call():  # keeps `loaded`, whose variables it needs
            found = loaded.signatures["serving_default"](**tensors)
            return [value.numpy() for value in found.values()]

        return call
    if format.startswith("OpenVINO"):
        path = path.with_suffix(".xml")
        kp.export.openvino(model, path)
        hints = {"INFERENCE_PRECISION_HINT": format.split()[1], "INFERENCE_NUM_THREADS": threads}
        compiled = openvino.Core().compile_model(str(path), "CPU", hints)
        return lambda: compiled(request)
    if format == "ONNX":
        path = kp.export.onnx(model, path.with_suffix(".onnx"))
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(
            str(path), settings, providers=["CPUExecutionProvider"]
        )
        return lambda: session.run(None, request)
    path = kp.export.litert(model, path.with_suffix(".tflite"))
    runner = tf.lite.Interpreter(str(path), num_threads=threads).get_signature_runner()
    return lambda: runner(**request)


def in_turn(calls, turns):
    """{key: median milliseconds}, all called once in each turn, after one that is not counted."""
    times = {key: [] for key in calls}
    for _ in range(turns + 1):
        for key, call in calls.items():
            start = time.perf_counter()
            call()
            times[key].append(1e3 * (time.perf_counter() - start))
    return {key: statistics.median(found[1:]) for key, found in times.items()}


def report(rows, options):
    about = machine()
    lines = [
        f"Batch 1 on {about['cpu']}, {options.threads} threads: medians of {options.turns} turns, "
        "all files of a model in turn.",
        *(["Few self-attends (`--quick`)."] if options.quick else []),
        f"OpenVINO {openvino.__version__.split('-')[0]}, onnxruntime {onnxruntime.__version__}, "
        f"TensorFlow {tf.__version__}.",
        "",
        f"| {' | '.join(FIELDS)} |",
        "|" + "---|" * len(FIELDS),
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        "Changes of the presets: "
        + "; ".join(f"{name}: {changed(name, options.quick) or 'none'}" for name in options.models)
        + ".",
        "",
        f"Written by `python benchmarks/exports.py{' --quick' if options.quick else ''}`.",
    ]
    return "\n".join(lines) + "\n"


def changed(name, quick):
    changes, quicker = PRESETS[name]
    changes = {**changes, **(quicker if quick else {})}
    return ", ".join(f"{key}={value}" for key, value in changes.items())


if __name__ == "__main__":
    sys.exit(main())
