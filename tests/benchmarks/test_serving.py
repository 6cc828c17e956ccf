"""The load benchmark runs, and writes a row for each batch."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "serving.py"


def test_a_row_for_each_batch(digits, tmp_path):
    output = tmp_path / "results" / "serving.md"
    command = [sys.executable, str(BENCHMARK), str(digits[1]), "--output", str(output)]
    run = subprocess.run([*command, "--seconds", "0.02"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    rows = [line for line in output.read_text().splitlines() if line.startswith("| ")][1:]
    assert [int(row.split("|")[1]) for row in rows] == [1, 2, 4, 8, 16, 32, 64]
    assert all(0 < float(row.split("|")[4]) <= float(row.split("|")[5]) for row in rows)
    assert "first request answered in" in output.read_text()
