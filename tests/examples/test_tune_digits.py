"""The search runs from start to end, and goes on where it was."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "tune_digits.py"


def test_a_short_search_and_its_verdict(tmp_path):
    command = [sys.executable, str(EXAMPLE), "--quick", "--epochs", "1", "--final-epochs", "1"]
    command += ["--trials", "2", "--seeds", "1", "--output", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "2 trials" in run.stdout and "best: {'latent_dim'" in run.stdout
    assert "the default: " in run.stdout.splitlines()[-1]
    assert (tmp_path / "quick" / "oracle.json").exists()
