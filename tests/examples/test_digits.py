"""The demo runs from start to end, on a few batches, and leaves what it says."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"


def test_the_demo_leaves_models_and_two_pictures(tmp_path):
    command = [sys.executable, str(EXAMPLE), "--quick", "--epochs", "1", "--output", str(tmp_path)]
    # As by `python examples/digits.py`: what is said to both streams, in order.
    variables = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = subprocess.run(command, env=variables, text=True, **streams)
    assert run.returncode == 0, run.stdout[-2000:]
    written = [
        tmp_path / "digits_pictures" / "learning_curve.png",
        tmp_path / "digits_pictures" / "attention.png",
        tmp_path / "digits.keras",
        tmp_path / "digits" / "1",
    ]
    if importlib.util.find_spec("openvino"):
        written.append(tmp_path / "digits_openvino" / "1")
        assert (written[-1] / "model.xml").exists()
    last = run.stdout.strip().splitlines()[-len(written) :]
    for path, line in zip(written, last):
        assert path.exists() and str(path) in line
    assert (tmp_path / "digits" / "1" / "saved_model.pb").exists()
    assert "seed 0: test accuracy" in run.stdout
