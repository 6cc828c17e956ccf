"""How much memory a process has needed: `from tests.peak_memory import peak` in its script."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def peak():
    """The most bytes that this process has had in memory so far."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024


def printed_by(script, *arguments):
    """The last line that a script prints in a process of its own, which can import tests."""
    run = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return run.stdout.splitlines()[-1]
