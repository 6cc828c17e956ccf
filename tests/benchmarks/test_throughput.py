"""The throughput benchmark counts what clients do at the same time, and writes a row per load."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

pytest.importorskip("openvino")

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "throughput.py"


def test_rates_count_all_clients(monkeypatch):
    from benchmarks import throughput

    clock = iter(range(1000))  # each measurement takes one second
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(clock))
    together, calls = threading.Barrier(4, timeout=20), []

    def call():
        together.wait()  # passes only if four clients call at once
        calls.append(1)

    def alone():
        calls.append(2)

    rates = throughput.in_turn({"a": [call] * 4, "b": [alone]}, batch=8, turns=3, seconds=2)
    assert rates == {"a": [64.0] * 3, "b": [16.0] * 3}  # two calls of each client in a second
    counted = 2 * 3  # and the calls before the turns: one that compiles, one for the number
    assert (calls.count(1), calls.count(2)) == (4 * (2 + counted), 2 + counted)


def test_a_row_for_each_load(tmp_path):
    output = tmp_path / "results" / "throughput.md"
    command = [sys.executable, str(BENCHMARK), "--quick", "--output", str(output)]
    command += ["--works", "digits", "--dtypes", "float32", "--seconds", "0.02"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    rows = [line.split(" | ") for line in output.read_text().splitlines() if "| digits |" in line]
    assert [row[2] for row in rows] == ["batch 1", "batch 4", "4 clients, batch 1"]
    assert "`--quick`" in output.read_text()
    for found in json.loads(output.with_suffix(".json").read_text())["rows"]:
        assert list(found["sides"]) == ["SavedModel", "OpenVINO"]
        for side in found["sides"].values():
            assert len(side["rates"]) == 2
            assert 0 < side["min"] <= side["median"] <= side["max"]
