"""Fresh processes for what cannot be tried in the one that runs the tests."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def start(script, *arguments, **environment):
    """Starts a script of this folder on the CPU; returns the `subprocess.Popen`."""
    variables = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    variables.update(PYTHONPATH=str(ROOT), CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3")
    variables.update(environment)
    return subprocess.Popen(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
    )


def finish(process, timeout=600):
    """What it printed; fails with what it complained of unless it ended well."""
    try:
        printed, complaints = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, complaints = process.communicate()
    assert process.returncode == 0, (
        f"{process.args} gave {process.returncode}:\n{complaints[-4000:]}"
    )
    return printed


def run(script, *arguments, **environment):
    return finish(start(script, *arguments, **environment))
