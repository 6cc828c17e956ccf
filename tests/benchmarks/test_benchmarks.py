"""The harness of the benchmarks: its protocol, its arithmetic, its tables; not its numbers."""

import importlib.util
import io
import json
import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks import (
    best,
    chart,
    deepmind_source,
    flops,
    measure,
    peers_environment,
    plain_memory,
    protocol,
    report,
    run,
    side,
    works,
)

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
    "perceiver_io_imagenet_learned": 478.04,
    "perceiver_io_imagenet_conv": 369.36,
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
    words += ["--minutes", "3", "--deepmind-source", "d"]
    kept = "python benchmarks/run.py --quick --name c --deepmind-source DIRECTORY"
    assert run.command(words) == kept
    assert run.command(["--deepmind-source=d", "--few-peers"]).endswith("DIRECTORY --few-peers")
    assert run.command(["--sides", "ours in OpenVINO"]).endswith(" --sides 'ours in OpenVINO'")


def timed(median, **more):
    """A side whose three turns took about so long."""
    return {"seconds": [0.9 * median, median, 1.1 * median], **more}


def times_of(sides, **work):
    work = {"case": "language", **work}
    return measure.summarize(works.work(**work), sides, [1e11])


SIDES = {
    "ours": timed(2.0, prepare_seconds=4.0, first_seconds=3.0, parameters=201_108_230),
    "ours in OpenVINO": timed(1.0),
    "ours in ONNX Runtime": {"error": "runs only float32"},
    "transformers": timed(3.0),
    "transformers in OpenVINO": timed(1.3),
    "deepmind": timed(5.0),
}


def test_best_against_best_takes_the_fastest_runtime_of_each():
    found = best.against(times_of(SIDES))
    assert (found["ours"], found["peer"]) == ("ours in OpenVINO", "transformers in OpenVINO")
    assert found["ratio"] == 1.3
    assert found["ratio_spread"] == [pytest.approx(1.3)] * 2
    assert (found["floor"], found["met"]) == (1.25, True)


def test_our_exports_are_no_peers():
    row = times_of(SIDES)
    assert (row["fastest_peer"], row["ratio"]) == ("transformers in OpenVINO", 0.65)
    sides = {name: {"call_bytes": size} for name, size in (("ours", 10), ("ours in OpenVINO", 1))}
    kept = {"sides": sides, "leanest_peer": None, "ratio": None}
    assert measure.with_leanest(kept)["leanest_peer"] is None


@pytest.mark.parametrize(
    ("work", "floor"),
    [
        ({"dtype": "bfloat16"}, 1.35),
        ({"batch": 4}, 1.25),
        ({"mode": "train"}, None),
        ({"case": "encoder_attention"}, None),
        ({"case": "perceiver_io_imagenet_conv"}, 1.15),
    ],
)
def test_floors_are_of_forward_passes(work, floor):
    found = best.against(times_of(SIDES, **work))
    assert (found["floor"], found["met"]) == (floor, None if floor is None else floor <= 1.3)


def test_all_cases_but_the_layer_have_floors():
    assert set(best.FLOORS) == set(works.CASES) - {"encoder_attention"}


def test_without_a_time_of_ours_there_is_no_best():
    assert best.against(times_of({"ours": {"error": "out of memory"}, "a": timed(1.0)})) is None
    assert best.against(times_of({"ours": timed(1.0)})) is None


def test_page_compares_the_best_and_lists_first_calls(results):
    results["times"] = [times_of(SIDES), times_of(SIDES, dtype="bfloat16")]
    page = report.page(results)
    for text in (
        "| 1.30x (1.30..1.30) | 1.25x | met |",
        "| 1.30x (1.30..1.30) | 1.35x | **missed** |",
        "| ours in OpenVINO | 1 (0.9..1.1) | transformers in OpenVINO | 1.3 (1.17..1.43) |",
        "| Work | Batch | Ours, s | Ours in ONNX Runtime, s | Ours in OpenVINO, s | deepmind, s |",
        "runs only float32",
        "| 3 (4), 201,108,230 |",
    ):
        assert text in page, text
    assert "A peer is faster here" not in page  # the ratio of "ours" alone is below 1


def test_chart_has_bars_of_the_best_in_forward_passes():
    rows = [times_of(SIDES), times_of(SIDES, mode="train"), times_of({"ours": timed(1.0)})]
    ((label, ((ratio, _),)),) = chart.best_ratios(rows)
    assert (label, ratio) == ("Perceiver IO language, batch 1", 1.3)


def made_checkout(folder, files=deepmind_source.FILES):
    inside = folder / "checkout" / "perceiver"
    inside.mkdir(parents=True)
    for name in files:
        (inside / name).write_text("from perceiver import position_encoding as other\n")
    (inside / "position_encoding.py").write_text("here = True\n")
    return folder / "checkout"


def test_code_of_deepmind_is_imported_although_another_package_has_its_name(tmp_path, monkeypatch):
    other = tmp_path / "other" / "perceiver"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(other.parent))
    names = ("perceiver", *(f"perceiver.{Path(name).stem}" for name in deepmind_source.FILES))
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
    perceiver, processors = deepmind_source.load(made_checkout(tmp_path))
    assert perceiver.other.here and processors.__name__ == "perceiver.io_processors"
    for name in names:
        sys.modules.pop(name, None)


def test_a_folder_without_the_code_of_deepmind_is_refused(tmp_path, capsys):
    folder = made_checkout(tmp_path, files=("perceiver.py",))
    with pytest.raises(ValueError, match="deepmind-research, with perceiver/io_processors.py"):
        deepmind_source.folder(folder)
    with pytest.raises(SystemExit):
        run.options(["--deepmind-source", str(folder)])
    assert "Received: deepmind_source=" in capsys.readouterr().err


def workers_of(monkeypatch, *words, lacking=()):
    packages = ("torch", *peers_environment.PACKAGES)
    found = {name: "is not installed" if name in lacking else None for name in packages}
    monkeypatch.setattr(peers_environment, "found", lambda python: found)
    chosen = run.options(["--peers-python", "python", *words])
    peers, missing = run.peer_workers(chosen)
    exports, missing_exports = run.our_file_workers(chosen)
    return {worker.name: worker for worker in (*exports, *peers)}, missing | missing_exports


def test_workers_of_all_runtimes(monkeypatch, tmp_path):
    source = str(made_checkout(tmp_path))
    workers, _ = workers_of(monkeypatch, "--deepmind-source", source, "--threads", "3")
    for package in ("ours", "transformers"):
        for runtime, name in (("openvino", "OpenVINO"), ("onnxruntime", "ONNX Runtime")):
            command = workers[f"{package} in {name}"].command
            assert command[command.index("--runtime") + 1] == runtime
            assert command[command.index("--threads") + 1] == "3"
    assert workers["deepmind"].command[-1] == source
    assert workers["deepmind"].environment["NPROC"] == "3"


def test_missing_sides_have_reasons(monkeypatch):
    workers, missing = workers_of(monkeypatch, lacking=("openvino", "onnxscript"))
    assert "deepmind" not in workers and "--deepmind-source" in missing["deepmind"]
    assert missing["transformers in OpenVINO"] == "it needs openvino"
    assert missing["transformers in ONNX Runtime"] == "it needs onnxscript"
    find_spec = importlib.util.find_spec
    lacks = lambda name: None if name == "tf2onnx" else find_spec(name)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", lacks)
    workers, missing = workers_of(monkeypatch)
    assert "ours in OpenVINO" in workers
    assert missing["ours in ONNX Runtime"] == "tf2onnx is not installed"


def test_runtimes_by_default_and_by_device(monkeypatch, capsys):
    assert run.options([]).runtimes == ["openvino", "onnxruntime"]
    assert run.options(["--quick"]).runtimes == run.options(["--device", "cuda"]).runtimes == []
    assert run.options(["--quick", "--runtimes", "openvino"]).runtimes == ["openvino"]
    with pytest.raises(SystemExit):
        run.options(["--device", "cuda", "--runtimes", "openvino"])
    assert "Received: --device cuda" in capsys.readouterr().err


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_tiny_export_is_measured(runtime, tmp_path):
    pytest.importorskip(runtime)
    words = ["--no-peers", "--runtimes", runtime, "--output", str(tmp_path)]
    ((worker,), missing) = run.our_file_workers(run.options(words))
    assert not missing
    try:
        built = worker.ask("build", **works.work("tiny", batch=2))
        assert built["parameters"] == 16_437
        assert built["prepare_seconds"] > 0 and built["first_seconds"] > 0
        assert worker.ask("time") > 0
        with pytest.raises(protocol.WorkerError, match="runs only forward passes"):
            worker.ask("build", **works.work("tiny", mode="train"))
        if runtime == "onnxruntime":
            with pytest.raises(protocol.WorkerError, match="runs only float32"):
                worker.ask("build", **works.work("tiny", dtype="bfloat16"))
        else:
            worker.ask("build", **works.work("tiny", dtype="bfloat16"))
            assert worker.ask("time") > 0
    finally:
        worker.stop()


class Compiled(side.Side):
    """A side that compiles before its first call."""

    def prepare(self, **work):
        time.sleep(0.05)
        with self.compiling():
            time.sleep(0.2)
        self.parameters = 7
        return lambda: None


def test_compilation_counts_as_first_call():
    built = Compiled().build()
    assert built["parameters"] == 7
    assert built["prepare_seconds"] < 0.2 <= built["first_seconds"]


def test_an_older_environment_gets_new_packages(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / "installed.json").write_text(json.dumps({"torch": None, "transformers": "failed"}))
    asked = []
    monkeypatch.setattr(peers_environment, "install", lambda python, wanted: asked.append(wanted))
    _, missing = peers_environment.peers_python(tmp_path, log=lambda text: None)
    assert missing["transformers"] == "failed" and missing["openvino"] is None
    assert ["openvino", peers_environment.TORCH] in asked
    assert len(asked) == len(peers_environment.PACKAGES) - 1
    assert json.loads((tmp_path / "installed.json").read_text()) == missing
