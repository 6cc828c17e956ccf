"""Examples per second of a SavedModel and of an OpenVINO file, side by side.

    python benchmarks/throughput.py            both models, about half an hour on two free cores
    python benchmarks/throughput.py --quick    a small language model and short turns

One client asks with batches of 1 to 64, and four clients at once with batches of 1. All are threads
in one process, without a server's network and queues. SavedModel and OpenVINO take turns. Writes
benchmarks/results/throughput.md and .json.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import openvino
import tensorflow as tf

import keras_perceiver as kp
from benchmarks.machine import machine
from benchmarks.measure import spread
from benchmarks.report import table

RESULTS = Path(__file__).parent / "results" / "throughput.md"
LOADS = ((1, 1), (4, 1), (16, 1), (64, 1), (1, 4))  # batch, clients
QUICK_LOADS = ((1, 1), (4, 1), (1, 4))
HINTS = {"float32": "f32", "bfloat16": "bf16"}
ABOUT = (
    "A cell has the median of the turns in examples per second, with minimum and maximum in "
    "brackets. SavedModel and OpenVINO are measured in turn, in one process with the same number "
    "of threads. In a turn, each client makes the same number of calls of the file's signature, "
    "from arrays to arrays, for about {seconds} s. Calls before the turns are not counted. The "
    "last column is the median over the turns of OpenVINO's rate divided by the SavedModel's.",
    "OpenVINO is compiled with the hint LATENCY for one client, and with THROUGHPUT for several, "
    "each of which has an InferRequest of its own. bfloat16 is the policy `bfloat16` for the "
    "SavedModel (including weights), and the precision hint bf16 for OpenVINO, with the same file "
    "as for float32.",
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--works", nargs="*", default=list(WORKS), choices=list(WORKS))
    parser.add_argument("--dtypes", nargs="*", default=list(HINTS), choices=list(HINTS))
    parser.add_argument("--turns", type=int, help="default: 7, or 2 with --quick")
    parser.add_argument("--seconds", type=float, help="of a turn; default: 2, or 0.1 with --quick")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--output", type=Path, default=RESULTS, help="the page; .json is beside it")
    options = parser.parse_args()
    options.turns = options.turns or (2 if options.quick else 7)
    options.seconds = options.seconds or (0.1 if options.quick else 2.0)
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    rows = []
    for name in options.works:
        for dtype in options.dtypes:
            for row in rows_of(name, dtype, options):
                rows.append(row)
                print(*cells(row), sep=" | ", flush=True)
                write(rows, options)
    return 0


def digits(quick):
    return kp.build_classifier(
        (8, 8, 1), num_classes=10, num_latents=16, latent_dim=64, num_self_attends_per_block=1
    )


def language(quick):
    small = {"max_length": 64, "num_latents": 16, "num_self_attends_per_block": 1}
    return kp.presets.get("perceiver_io_language_bytes").build(**(small if quick else {}))


WORKS = {
    "digits": ("the digits model of `examples/digits.py`", digits),
    "language": ("Perceiver IO language, 2,048 bytes", language),
}


def rows_of(name, dtype, options):
    """The rows of one model in one precision, a row for each load."""
    with tempfile.TemporaryDirectory() as folder:
        sides, request = exported(name, dtype, options, Path(folder))
        for batch, clients in QUICK_LOADS if options.quick else LOADS:
            repeated = {key: np.repeat(value, batch, axis=0) for key, value in request.items()}
            callers = {side: make(repeated, clients) for side, make in sides.items()}
            rates = in_turn(callers, batch, options.turns, options.seconds)
            yield row(name, dtype, batch, clients, rates)


def exported(name, dtype, options, folder):
    """{side: function from a request and a number of clients to their callers}, and a request."""
    model = made(name, dtype, options.quick)
    request = request_of(model)
    served = saved_model_side(kp.export.saved_model(model, folder / "saved_model"))
    if dtype != "float32":  # OpenVINO chooses its precision, from a file in float32
        model = made(name, "float32", options.quick)
    file = kp.export.openvino(model, folder / "openvino") / "model.xml"
    sides = {"SavedModel": served, "OpenVINO": openvino_side(file, HINTS[dtype], options.threads)}
    return sides, request


def made(name, dtype, quick):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(dtype)
    try:
        return WORKS[name][1](quick)
    finally:
        keras.config.set_dtype_policy("float32")


def request_of(model):
    """One example of each input: byte ids, or numbers."""
    random, request = np.random.default_rng(0), {}
    for tensor in model.inputs:
        shape = (1, *tensor.shape[1:])
        whole = "int" in tensor.dtype
        array = random.integers(6, 262, shape) if whole else random.normal(size=shape)
        request[tensor.name] = array.astype("int32" if whole else "float32")
    return request


def saved_model_side(path):
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]

    def callers(request, clients):
        def call(kept=loaded):  # its variables are needed
            tensors = {key: tf.constant(value) for key, value in request.items()}
            return [value.numpy() for value in serve(**tensors).values()]

        return [call] * clients

    return callers


def openvino_side(path, precision, threads):
    core = openvino.Core()
    hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}

    def callers(request, clients):
        several = {"PERFORMANCE_HINT": "THROUGHPUT", "PERFORMANCE_HINT_NUM_REQUESTS": clients}
        performance = several if clients > 1 else {"PERFORMANCE_HINT": "LATENCY"}
        compiled = core.compile_model(str(path), "CPU", {**hints, **performance})

        def client():
            ask = compiled.create_infer_request()
            return lambda: [np.array(value) for value in ask.infer(request).values()]

        return [client() for _ in range(clients)]

    return callers


def in_turn(callers, batch, turns, seconds):
    """{side: examples per second in each turn}."""
    rates, calls = {side: [] for side in callers}, {}
    with ThreadPoolExecutor(max(map(len, callers.values()))) as pool:
        for side, clients in callers.items():
            duration(pool, clients, 1)  # compiles
            calls[side] = calls_for(seconds, pool, clients)
        for _ in range(turns):
            for side, clients in callers.items():
                done = batch * len(clients) * calls[side]
                rates[side].append(done / duration(pool, clients, calls[side]))
    return rates


def calls_for(seconds, pool, clients):
    """How many calls of each client take about so many seconds; at least one."""
    calls = 1
    while (took := duration(pool, clients, calls)) < seconds / 4:
        calls *= 4
    return max(1, round(calls * seconds / took))


def duration(pool, clients, calls):
    """Seconds until all clients, each in its thread, have made so many calls."""

    def run(call):
        for _ in range(calls):
            call()

    start = time.perf_counter()
    for running in [pool.submit(run, call) for call in clients]:
        running.result()
    return time.perf_counter() - start


def row(name, dtype, batch, clients, rates):
    ratios = [other / ours for ours, other in zip(rates["SavedModel"], rates["OpenVINO"])]
    return {
        "work": name,
        "dtype": dtype,
        "batch": batch,
        "clients": clients,
        "sides": {side: {"rates": found, **spread(found)} for side, found in rates.items()},
        "ratio": statistics.median(ratios),
    }


def cells(row):
    several = f"{row['clients']} clients, " if row["clients"] > 1 else ""
    rates = ["{median:.3g} ({min:.3g}..{max:.3g})".format(**side) for side in row["sides"].values()]
    load = f"{several}batch {row['batch']}"
    return [row["work"], row["dtype"], load, *rates, f"{row['ratio']:.2f}"]


def write(rows, options):
    """Writes the page and the numbers of all rows so far."""
    about = machine()
    versions = {"OpenVINO": openvino.__version__.split("-")[0], "TensorFlow": tf.__version__}
    command = "python benchmarks/throughput.py" + (" --quick" if options.quick else "")
    header = [
        "model",
        "precision",
        "load",
        "SavedModel, /s",
        "OpenVINO, /s",
        "OpenVINO / SavedModel",
    ]
    parts = [
        "# Throughput of a SavedModel and of OpenVINO",
        f"{about['cpu']}, {options.threads} threads, {about['memory_gib']} GiB; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f"; {options.turns} turns. Written by `{command}`.",
        *(["A small language model and short turns (`--quick`)."] if options.quick else []),
        *(text.format(seconds=options.seconds) for text in ABOUT),
        "Models: " + "; ".join(f"{name}: {WORKS[name][0]}" for name in options.works) + ".",
        table(header, [cells(row) for row in rows]),
    ]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n\n".join(parts) + "\n")
    numbers = {"machine": about, "threads": options.threads, "versions": versions}
    numbers |= {"command": command, "turns": options.turns, "rows": rows}
    options.output.with_suffix(".json").write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
