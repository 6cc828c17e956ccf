"""Both stories run from start to end, on a few examples."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "finetune.py"


def test_both_models_are_reloaded_equally():
    command = [sys.executable, str(EXAMPLE), "--quick"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-1000:] + run.stderr[-2000:]
    assert run.stdout.count("reloaded: largest difference of logits") == 4
    assert run.stdout.count("trained weights") == 2
