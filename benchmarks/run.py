"""Measures keras_perceiver and its peers on this machine.

    python benchmarks/run.py --quick    # about ten minutes on two cores
    python benchmarks/run.py            # everything
    python benchmarks/run.py --backend jax --device cuda --jit --name gpu

Writes benchmarks/results/<name>.json, .md and .png, after every measurement.
"""

import argparse
import importlib.util
import json
import shlex
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import best, chart, deepmind_source, measure, peers_environment, report, works
from benchmarks.file_runtimes import TITLES as RUNTIMES
from benchmarks.machine import machine
from benchmarks.protocol import ROOT, Worker, WorkerError
from benchmarks.side import MATRIX
from benchmarks.side_names import is_ours

PARTS = ("times", "memory", "sweeps", "profiles")
DTYPES = ("float32", "bfloat16")
MODES = ("forward", "train")
MATRIX_ON_GPU = 8192  # smaller products do not occupy all of a large GPU


def options(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="fewer works and rounds")
    add("--name", default="cpu", help="name of the result files")
    add("--rounds", type=int, help="turns of each implementation (default 5, quick 3)")
    add("--minutes", type=float, help="start nothing after this time (default: no limit, quick 8)")
    add("--threads", type=int, default=2)
    add("--cases", nargs="+", default=works.CASES, help="measure only these cases")
    add("--dtypes", nargs="+", default=DTYPES, choices=DTYPES, help="in this order")
    add("--modes", nargs="+", default=MODES, choices=MODES)
    add("--batches", nargs="+", type=int, default=(1, 4), help="of 1 and 4")
    add("--parts", nargs="+", choices=PARTS, help="default: all; with --quick, all but sweeps")
    add("--backend", default="tensorflow", choices=("tensorflow", "jax", "torch"))
    add("--jit", action="store_true", help="XLA (or torch.compile) for ours")
    add("--device", default="cpu", help="device of the peers, and of ours on torch: cpu or cuda")
    add("--peers-python", type=Path, help="interpreter of an environment with the peers")
    add(
        "--runtimes",
        nargs="*",
        choices=RUNTIMES,
        help="for ours and transformers, beside their own (default: all on a CPU, none with "
        "--quick)",
    )
    add("--deepmind-source", type=Path, help="a checkout of google-deepmind/deepmind-research")
    add("--sides", nargs="+", help='measure only "ours" and the sides of these names')
    add("--few-peers", action="store_true", help="only one peer for slow cases, as with --quick")
    add("--no-peers", action="store_true", help="measure only ours")
    add("--resume", action="store_true", help="keep the results in the result file")
    add("--output", type=Path, default=ROOT / "benchmarks" / "results")
    chosen = parser.parse_args(arguments)
    chosen.rounds = chosen.rounds or (3 if chosen.quick else 5)
    chosen.minutes = chosen.minutes or (8 if chosen.quick else float("inf"))
    if chosen.runtimes is None:
        chosen.runtimes = [] if chosen.quick or chosen.device != "cpu" else list(RUNTIMES)
    if chosen.runtimes and chosen.device != "cpu":
        parser.error(
            f"--runtimes needs --device cpu. Received: --device {chosen.device} "
            f"--runtimes {' '.join(chosen.runtimes)}"
        )
    if chosen.deepmind_source:
        try:
            deepmind_source.folder(chosen.deepmind_source)
        except ValueError as error:
            parser.error(str(error))
    chosen.parts = chosen.parts or [p for p in PARTS if not (chosen.quick and p == "sweeps")]
    return chosen


def our_worker(chosen):
    command = [sys.executable, "-m", "benchmarks.our_worker", "--threads", chosen.threads]
    command += ["--device", chosen.device, *(["--jit"] if chosen.jit else [])]
    return Worker("ours", command, {**environment(chosen), "KERAS_BACKEND": chosen.backend})


def our_file_workers(chosen):
    """The workers of our exports, and a dict from missing ones to reasons."""
    workers, missing = [], {}
    needed = {"openvino": ("openvino",), "onnxruntime": ("onnxruntime", "onnx", "tf2onnx")}
    for runtime in chosen.runtimes:
        name = f"ours in {RUNTIMES[runtime]}"
        lacking = [p for p in ("tensorflow", *needed[runtime]) if not importlib.util.find_spec(p)]
        if lacking:
            missing[name] = f"{', '.join(lacking)} is not installed"
            continue
        command = [sys.executable, "-m", "benchmarks.our_worker", "--threads", chosen.threads]
        variables = {**environment(chosen), "KERAS_BACKEND": "tensorflow"}
        workers.append(Worker(name, [*command, "--runtime", runtime], variables))
    return workers, missing


def peer_workers(chosen):
    """The workers of the peers, and a dict from missing peers to reasons."""
    if chosen.no_peers:
        return [], {}
    if chosen.peers_python:
        python, missing = chosen.peers_python, peers_environment.found(chosen.peers_python)
    else:
        python, missing = peers_environment.peers_python()
    missing = {package: reason for package, reason in missing.items() if reason}
    workers = []
    base = [python, "-m", "benchmarks.peer_worker"]
    ending = ["--threads", chosen.threads, "--device", chosen.device]
    if not {"torch", "transformers"} & missing.keys():
        workers.append(Worker("transformers", [*base, "transformers", *ending]))
    if not {"torch", "perceiver-pytorch"} & missing.keys():
        workers.append(Worker("perceiver-pytorch", [*base, "perceiver-pytorch", *ending]))
    if not (shutil.which("g++") or shutil.which("clang++")):
        missing["transformers compiled"] = "there is no C++ compiler"
    elif not {"torch", "transformers"} & missing.keys():
        command = [*base, "transformers", "--compile", *ending]
        workers.append(Worker("transformers compiled", command))
        if chosen.device != "cpu":  # PyTorch has no faster kernel for it on a CPU
            workers.append(Worker("transformers fused, compiled", [*command, "--fused"]))
    for runtime in chosen.runtimes:
        name = f"transformers in {RUNTIMES[runtime]}"
        needed = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")
        if runtime == "openvino":
            needed = ("torch", "transformers", "openvino")
        lacking = [package for package in needed if package in missing]
        if lacking:
            missing[name] = f"it needs {', '.join(lacking)}"
        else:
            command = [*base, "transformers", "--runtime", runtime, *ending]
            workers.append(Worker(name, command))
    reason = no_deepmind(chosen, missing)
    if reason:
        missing["deepmind"] = reason
    else:
        command = [python, "-m", "benchmarks.deepmind_worker", chosen.deepmind_source.resolve()]
        workers.append(Worker("deepmind", command))
    if "perceiver-io" not in missing:
        missing["perceiver-io"] = "it is installed, but has no benchmark cases yet"
    for worker in workers:
        worker.environment.update(environment(chosen))
    return workers, missing


def no_deepmind(chosen, missing):
    """Why DeepMind's code is not measured, or None if it is."""
    if not chosen.deepmind_source:
        return "it is on GitHub only, and --deepmind-source names no checkout of it"
    if chosen.device != "cpu":
        return "it is measured only on a CPU"
    lacking = [package for package in ("jax", "dm-haiku", "einops") if package in missing]
    return f"it needs {', '.join(lacking)}" if lacking else None


def environment(chosen):
    on_gpu = {"MATRIX": str(MATRIX_ON_GPU), "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.5"}
    return {
        **(on_gpu if chosen.device != "cpu" else {"NPROC": str(chosen.threads)}),  # for JAX
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(chosen.threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def command(words):
    """The command that gives the same results, without local paths and time limits."""
    kept, skip = ["python benchmarks/run.py"], False
    for word in words:
        name = word.split("=")[0]
        left_out = name in ("--peers-python", "--output", "--minutes", "--resume")
        if name == "--deepmind-source" and not skip:
            kept.append("--deepmind-source DIRECTORY")
            left_out = True
        if not (left_out or skip):
            kept.append(shlex.quote(word))
        skip = left_out and name != "--resume" and "=" not in word
    return " ".join(kept)


class Run:
    def __init__(self, chosen):
        self.chosen = chosen
        self.start = time.perf_counter()
        self.ours = our_worker(chosen)
        peers, missing = peer_workers(chosen)
        exports, missing_exports = our_file_workers(chosen)
        missing.update(missing_exports)
        self.workers = [self.ours, *exports, *peers]
        if chosen.sides:
            self.workers = self.workers[:1] + [
                w for w in self.workers[1:] if w.name in chosen.sides
            ]
        self.file = chosen.output / f"{chosen.name}.json"
        self.results = {
            "name": chosen.name,
            "command": command(sys.argv[1:]),
            "machine": machine(chosen.device),
            "matrix": MATRIX if chosen.device == "cpu" else MATRIX_ON_GPU,
            "versions": {},
            "missing": missing,
            "rates": {},
            "rate_of": {},
            "libraries": {},
            "left": [],
            **{part: [] for part in PARTS},
        }
        if chosen.resume and self.file.exists():
            kept = json.loads(self.file.read_text())
            self.results.update({name: kept[name] for name in (*PARTS, "rates", "rate_of")})
            self.results["libraries"] = kept.get("libraries", {})
            if self.results["command"] not in kept["command"].split("; "):
                kept["command"] += "; " + self.results["command"]
            self.results["command"] = kept["command"]

    def everything(self):
        try:
            self.machine_rates()
            steps = {
                "times": self.times,
                "memory": self.memory,
                "sweeps": self.sweeps,
                "profiles": self.profiles,
            }
            for part in self.chosen.parts:
                steps[part]()
        finally:
            for worker in self.workers:
                worker.stop()
        self.write()
        chart.draw(self.results, self.file.with_suffix(".png"))

    def machine_rates(self):
        for worker in self.workers:
            self.results["versions"].update(worker.ask("versions"))
        for dtype in ("float32", "bfloat16"):
            for worker, library in self.multipliers():
                rate = worker.ask("rate", dtype=dtype)["best"]
                self.library(dtype, library, rate)
                if rate > self.results["rates"].get(dtype, 0):
                    self.results["rates"][dtype] = rate
                    self.results["rate_of"][dtype] = worker.name
            print(f"{dtype}: {self.results['rates'][dtype] / 1e9:.0f} GFLOP/s", flush=True)
        if self.chosen.device == "cpu":
            rate = self.ours.ask("rate", dtype="float32", with_numpy=True)["best"]
            self.library("float32", "numpy", rate)

    def multipliers(self):
        """The workers whose library multiplies matrices alone, and the names of the libraries."""
        for worker in self.workers:
            if worker is self.ours:
                yield worker, self.chosen.backend
            elif worker.name == "deepmind":
                yield worker, "jax"
            elif not is_ours(worker.name) and "--runtime" not in worker.command:
                yield worker, "torch"

    def library(self, dtype, name, rate):
        """Records the best rate of each library's matrix products."""
        rates = self.results["libraries"].setdefault(dtype, {})
        rates[name] = max(rate, rates.get(name, 0))

    def rater(self, dtype):
        """The worker that is fastest at matrix products."""
        name = self.results["rate_of"][dtype]
        return next((worker for worker in self.workers if worker.name == name), self.ours)

    def times(self):
        which = works.quick_works if self.chosen.quick else works.full_works
        wanted = [
            work
            for dtype in self.chosen.dtypes
            for work in which(self.chosen.cases)
            if work["dtype"] == dtype
            and work["mode"] in self.chosen.modes
            and work["batch"] in self.chosen.batches
        ]
        self.measure("times", wanted, self.workers)

    def sweeps(self):
        """Measures the sweeps with the peer that was fastest at encoder cross-attention."""
        alone = works.key(works.work("encoder_attention"))
        won = [
            row["fastest_peer"] for row in self.results["times"] if works.key(row["work"]) == alone
        ]
        peers = [worker for worker in self.workers if not is_ours(worker.name)]
        peers = [worker for worker in peers if worker.name in won] or peers
        self.measure("sweeps", works.sweeps(), [self.ours, *peers[:1]])

    def measure(self, part, wanted, workers):
        for work in self.left(part, wanted):
            print(report.name_of(work), flush=True)
            chosen, some = self.chosen, self.asked(work, workers)
            rater = self.rater(work["dtype"])
            found, rates = measure.alternate(some, work, chosen.rounds, chosen.device, rater=rater)
            row = measure.summarize(work, found, rates)
            if work["dtype"] == "float32" and chosen.device == "cpu":
                asked = {"dtype": "float32", "seconds": 1.0, "with_numpy": True}
                row["numpy_rate"] = self.ours.ask("rate", **asked)["median"]
            for name, side in row["sides"].items():
                print(f"  {name}: {report.seconds(side)}", flush=True)
            print(f"  {report.ratio(row)}", flush=True)
            pair = best.against(row)
            if pair:
                names = f"{pair['peer']} over {pair['ours']}"
                print(f"  best against best: {pair['ratio']:.2f}x, {names}", flush=True)
            self.keep(part, row)

    def memory(self):
        chosen = self.chosen
        for work in self.left("memory", works.memory_works(chosen.cases, chosen.quick)):
            print(f"memory: {report.name_of(work)}", flush=True)
            for worker in self.workers:
                worker.stop()  # so that all memory is free for the worker that is measured
            row = measure.memory_row(self.asked(work), work, chosen.device)
            for name, side in row["sides"].items():
                print(f"  {name}: {report.gib(side)}", flush=True)
            self.keep("memory", row)

    def profiles(self):
        for work in self.left("profiles", works.profiles(self.chosen.cases, self.chosen.quick)):
            print(f"profile: {report.name_of(work)}", flush=True)
            asked = {name: work[name] for name in ("case", "batch", "dtype")}
            try:
                self.keep("profiles", {"work": work, **self.ours.ask("profile", **asked)})
            except WorkerError as error:
                print(f"  {error}", flush=True)

    def asked(self, work, workers=None):
        """The workers to measure: all, or for slow cases only the fastest peers if so chosen."""
        workers = workers or self.workers
        few = self.chosen.quick or self.chosen.few_peers
        names = works.quick_peers(work) if few else None
        return [w for w in workers if is_ours(w.name) or names is None or w.name in names]

    def left(self, part, wanted):
        """Works that are not measured yet, until the time limit."""
        done = {works.key(row["work"]) for row in self.results[part]}
        for work in wanted:
            if works.key(work) in done:
                continue
            if time.perf_counter() - self.start > 60 * self.chosen.minutes:
                self.results["left"].append(f"{part} of {report.name_of(work)}")
                continue
            yield work

    def keep(self, part, row):
        self.results[part].append(row)
        if part == "times":  # resumed runs may measure in another order
            order = [works.key(work) for work in works.full_works(works.TITLES)]
            self.results[part].sort(key=lambda kept: order.index(works.key(kept["work"])))
        self.write()

    def write(self):
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.results, indent=1) + "\n")
        self.file.with_suffix(".md").write_text(report.page(self.results))


if __name__ == "__main__":
    Run(options()).everything()
