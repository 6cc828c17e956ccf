"""Installs the peers in a separate environment, from the package index."""

import json
import subprocess
import sys
import venv

from benchmarks.protocol import ROOT

TORCH = "torch==2.13.0"
PACKAGES = (
    "transformers",
    "perceiver-pytorch",
    "perceiver-io",
    "openvino",
    "onnx",
    "onnxscript",  # torch.onnx needs it
    "onnxruntime",
    "jax",  # this and the next two for the code of DeepMind, which is not on the package index
    "dm-haiku",
    "einops",
)


def peers_python(directory=ROOT / ".venv-peers", log=print):
    """The environment's interpreter, and a dict from packages to None or why they are missing.

    An environment made by an earlier version gets the packages that it lacks.
    """
    python = directory / "bin" / "python"
    installed = directory / "installed.json"
    missing = json.loads(installed.read_text()) if installed.exists() else {}
    if not python.exists():
        venv.create(directory, with_pip=True)
    for package in (TORCH, *PACKAGES):
        name = package.split("==")[0]
        if name not in missing:
            log(f"installing {name} in {directory.name}")
            # Torch is listed each time, so that no package replaces it with another version.
            missing[name] = install(python, [package] if package == TORCH else [package, TORCH])
            installed.write_text(json.dumps(missing))
    return python, missing


def install(python, wanted):
    """None, or the first error of pip."""
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    result = subprocess.run(pip, capture_output=True, text=True)
    if result.returncode == 0:
        return None
    errors = [line for line in result.stderr.splitlines() if "ERROR" in line]
    return (errors or ["pip failed"])[0].removeprefix("ERROR: ")


def found(python):
    """The same dict for an existing environment."""
    test = "import importlib.metadata as m, sys; m.version(sys.argv[1])"
    missing = {}
    for package in ("torch", *PACKAGES):
        code = subprocess.run([python, "-c", test, package], capture_output=True).returncode
        missing[package] = "is not installed" if code else None
    return missing


if __name__ == "__main__":
    print(json.dumps(peers_python()[1], indent=1), file=sys.stderr)
