"""The demo runs from start to end, on a few batches, and leaves what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"


def test_the_demo_leaves_two_models_and_two_pictures(tmp_path):
    command = [sys.executable, str(EXAMPLE), "--quick", "--epochs", "1", "--output", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    written = [
        tmp_path / "digits_pictures" / "learning_curve.png",
        tmp_path / "digits_pictures" / "attention.png",
        tmp_path / "digits.keras",
        tmp_path / "digits" / "1",
    ]
    last = run.stdout.strip().splitlines()[-4:]
    for path, line in zip(written, last):
        assert path.exists() and str(path) in line
    assert (tmp_path / "digits" / "1" / "saved_model.pb").exists()
    assert "seed 0: test accuracy" in run.stdout
