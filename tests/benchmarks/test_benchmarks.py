"""The harness of the benchmarks: its protocol, its arithmetic, its tables; not its numbers."""

import importlib.util
import io
import json
import os
import sys

import pytest

from benchmarks import chart, flops, measure, plain_memory, protocol, report, run, works

pytestmark = pytest.mark.slow

ECHO = """
import sys
from benchmarks.protocol import serve
class Handler:
    def double(self, number):
        print("noise of a library")
        return 2 * number
    def fail(self):
        raise ValueError("no such work")
    def die(self):
        import os
        os._exit(3)
serve(Handler())
"""


@pytest.fixture
def echo():
    worker = protocol.Worker("echo", [sys.executable, "-c", ECHO])
    yield worker
    worker.stop()


def test_worker_answers(echo):
    assert [echo.ask("double", number=n) for n in (1, 2)] == [2, 4]


def test_worker_reports_errors_and_lives_on(echo):
    with pytest.raises(protocol.WorkerError, match="no such work"):
        echo.ask("fail")
    assert echo.ask("double", number=3) == 6


def test_worker_that_dies_is_started_again(echo):
    with pytest.raises(protocol.WorkerError, match="3"):
        echo.ask("die")
    assert echo.ask("double", number=4) == 8


def test_serve_reads_and_writes_lines():
    class Handler:
        def add(self, a, b):
            return a + b

    answers = io.StringIO()
    protocol.serve(Handler(), ['{"op": "add", "a": 1, "b": 2}\n'], answers)
    assert json.loads(answers.getvalue()) == {"ok": 3}


class Made:
    """A worker whose calls take given times."""

    def __init__(self, name, seconds, log):
        self.name, self.seconds, self.log = name, list(seconds), log

    def ask(self, op, **work):
        if op == "build" and not self.seconds:
            raise protocol.WorkerError("has no such model")
        if op == "time":
            self.log.append(self.name)
            return self.seconds.pop(0)
        if op == "rate":
            self.log.append(f"rate of {work['dtype']} by {self.name}")
            return {"best": 3e11, "median": 2e11}
        return {"first_seconds": 1.0}


def test_calls_alternate():
    log = []
    workers = [Made("ours", [1, 1, 1], log), Made("a", [2, 2, 2], log), Made("b", [], log)]
    work = works.work("language")
    found, rates = measure.alternate(workers, work, 3, log=lambda text: None, rater=workers[1])
    assert log == ["rate of float32 by a", "ours", "a"] * 3
    assert rates == [2e11] * 3
    assert found["a"]["seconds"] == [2, 2, 2]
    assert found["b"] == {"error": "has no such model"}


def results_of(ours, a, b, case="language"):
    return {"ours": {"seconds": ours}, "a": {"seconds": a}, "b": b}


def row_of(ours, a, b, **work):
    rates = [9e11, 1e11, 1e10]
    return measure.summarize(works.work("language", **work), results_of(ours, a, b), rates)


def test_ratio_is_of_medians_against_the_fastest_peer():
    row = row_of([1.0, 2.0, 9.0], [4.0, 3.0, 5.0], {"seconds": [9.0, 9.0, 9.0]})
    assert row["fastest_peer"] == "a"
    assert row["ratio"] == 2.0
    assert row["ratio_spread"] == [5 / 9, 4.0]
    assert row["sides"]["ours"] | {"median": 2.0, "min": 1.0, "max": 9.0} == row["sides"]["ours"]
    assert row["sides"]["ours"]["fraction"] == pytest.approx(1.2095 / 2, abs=1e-3)


def test_a_peer_that_fails_is_left_out():
    row = row_of([1.0], [3.0], {"error": "needs about 99 GiB"})
    assert row["fastest_peer"] == "a" and row["ratio"] == 3.0


def test_memory_is_against_the_leanest_peer():
    sides = {"ours": {"call_bytes": 10}, "a": {"call_bytes": 40}, "b": {"call_bytes": 30}}
    row = measure.with_leanest({"sides": sides, "leanest_peer": None, "ratio": None})
    assert (row["leanest_peer"], row["ratio"]) == ("b", 3.0)


GIGA = 1e9

# Totals and parts of the published models, in GFLOP.
PUBLISHED = {
    "perceiver_imagenet": 707.2,
    "perceiver_io_imagenet_fourier": 406.12,
    "language": 120.95,
    "optical_flow": 1886.7,
    "multimodal": 307.28,
    "encoder_attention": 43.19,
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_operations_are_the_published_ones(case):
    tolerance = (
        2e-3 if case == "perceiver_imagenet" else 5e-5
    )  # the paper counts more than products
    assert flops.FORWARD[case]() / GIGA == pytest.approx(PUBLISHED[case], rel=tolerance, abs=0.005)


def test_operations_by_batch_mode_and_size():
    once = flops.operations("inputs", 1, "forward", side=64)
    assert flops.operations("inputs", 4, "train", side=64) == 12 * once
    grown = [flops.operations("inputs", 1, "forward", side=side) for side in (64, 128, 256)]
    assert grown[2] - grown[1] == 4 * (grown[1] - grown[0])
    by_depth = [flops.operations("depth", 1, "forward", depth=d, side=64) for d in (0, 6, 12)]
    assert by_depth[2] - by_depth[1] == by_depth[1] - by_depth[0]


def test_flow_training_needs_more_memory_than_its_forward():
    forward, train = (plain_memory.plain_bytes(works.work("optical_flow", 1, m)) for m in MODES)
    assert 3.5 < forward / 2**30 < 8 < 16 < train / 2**30 < 40


MODES = ("forward", "train")


def test_works_have_distinct_keys():
    everything = works.full_works() + works.sweeps()
    assert len({works.key(work) for work in everything}) == len(everything)
    quick = {works.key(work) for work in works.quick_works()}
    assert quick <= {works.key(work) for work in works.full_works()}


@pytest.fixture
def results():
    times = [
        row_of([1.0, 1.1, 1.2], [2.0, 2.1, 2.2], {"error": "a|b"}),
        row_of([1.0, 1.1, 1.2], [0.5, 0.5, 0.5], {"error": "a|b"}, mode="train"),
    ]
    sides = {
        name: {"call_bytes": size * 2**30, "total_bytes": size * 2**31}
        for name, size in (("ours", 1), ("a", 3))
    }
    memory = measure.with_leanest(
        {"work": works.work("language"), "sides": sides, "leanest_peer": None, "ratio": None}
    )
    sweep = measure.summarize(works.work("inputs", side=64), {"ours": {"seconds": [0.1]}}, [1e11])
    profile = {
        "work": works.work("language"),
        "layers": [{"layer": "latent_transformer", "calls": 1, "seconds": 0.8}],
        "whole": 1.0,
    }
    return {
        "name": "made",
        "command": "python benchmarks/run.py --name made",
        "machine": {"cpu": "Made-up", "cores": 2, "memory_gib": 24, "python": "3.12"},
        "versions": {"keras": "3", "torch": "2"},
        "missing": {"perceiver-io": "does not install"},
        "rates": {"float32": 1e11},
        "rate_of": {"float32": "ours"},
        "libraries": {"float32": {"numpy": 5e10, "tensorflow": 1e11}},
        "left": [],
        "times": times,
        "memory": [memory],
        "sweeps": [sweep],
        "profiles": [profile],
    }


def test_page_says_who_wins_and_on_what(results):
    page = report.page(results)
    for text in (
        "Made-up, 2 cores, 24 GiB",
        "keras 3, torch 2",
        "GFLOP/s: tensorflow 100, numpy 50.",
        "fastest at them (float32 ours)",
        "perceiver-io was not measured: does not install",
        "1.91x (1.83..2.00), a",
        "**0.45x (0.42..0.50), a wins**",
        "A peer is faster here: a at Perceiver IO language, 2,048 bytes, training step",
        "1.00 (2.00)",
        "3.00x, a",
        "a/b",
        "4,096",
        "latent_transformer | 1 | 0.8 | 80 %",
    ):
        assert text in page, text


def test_tables_have_a_cell_for_each_heading(results):
    for line in report.page(results).splitlines():
        if line.startswith("| Work"):
            width = line.count("|")
        if line.startswith("| Perceiver IO language"):
            assert line.count("|") == width


def test_chart_is_drawn(results, tmp_path):
    chart.draw(results, tmp_path / "made.png")
    assert (tmp_path / "made.png").read_bytes().startswith(b"\x89PNG")


def backends():
    here = os.environ.get("KERAS_BACKEND", "tensorflow")
    others = [name for name in ("jax",) if importlib.util.find_spec(name) and name != here]
    return [here, *others]


@pytest.mark.parametrize("backend", backends())
def test_a_tiny_model_is_measured(backend, tmp_path):
    chosen = run.options(
        ["--no-peers", "--backend", backend, "--rounds", "2", "--output", str(tmp_path)]
    )
    worker = run.our_worker(chosen)
    try:
        here = backend == backends()[0]
        for mode in MODES if here else ["forward"]:
            work = works.work("tiny", mode=mode)
            found, rates = measure.alternate([worker], work, 2, log=lambda text: None, rater=worker)
            row = measure.summarize(work, found, rates)
            assert row["sides"]["ours"]["median"] > 0, found
            assert len(rates) == 2 and row["rate"] > 0
        if not here:
            return
        rates = worker.ask("rate", dtype="float32", seconds=0.01, with_numpy=True)
        assert rates["best"] >= rates["median"] > 0
        layers = worker.ask("profile", case="tiny", batch=1, dtype="float32", rounds=1)["layers"]
        assert {"encoder_cross_attention", "latent_transformer"} <= {row["layer"] for row in layers}
    finally:
        worker.stop()


def test_quick_leaves_out_sweeps():
    assert run.options(["--quick"]).parts == ["times", "memory", "profiles"]
    assert run.options([]).rounds == 5 and run.options(["--quick"]).rounds == 3


def test_command_names_no_places():
    words = ["--quick", "--peers-python", "a/python", "--output=b", "--name", "c", "--resume"]
    words += ["--minutes", "3"]
    assert run.command(words) == "python benchmarks/run.py --quick --name c"
