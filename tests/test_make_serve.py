"""`make serve` and `make serve-openvino`, with a program in the place of Docker."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

MAKEFILE = Path(__file__).parents[1] / "Makefile"
# It notes its arguments, one a line; `docker info` fails where there is no daemon.
DOCKER = """#!/bin/sh
[ "$1" = info ] && exit {info}
printf '%s\\n' "$@" > "{noted}"
"""
SERVERS = {
    "serve": ("digits", "saved_model.pb", "tensorflow/serving", ""),
    "serve-openvino": (
        "digits_openvino",
        "model.xml",
        "openvino/model_server",
        "--model_name digits --model_path /models/digits --port 8500 --rest_port 8501",
    ),
}


def make(target, folder, info=0, docker=True):
    """Runs a target in `folder`; returns its exit status, what it said and Docker's arguments."""
    programs, noted = folder / "programs", folder / "noted"
    programs.mkdir()
    for name in ("make", "sh", "ls", "id"):
        (programs / name).symlink_to(shutil.which(name))
    if docker:
        (programs / "docker").write_text(DOCKER.format(info=info, noted=noted))
        (programs / "docker").chmod(0o755)
    run = subprocess.run(
        ["make", "-f", str(MAKEFILE), target],
        cwd=folder,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
    )
    arguments = noted.read_text().splitlines() if noted.exists() else None
    return run.returncode, run.stdout + run.stderr, arguments


def put_model(folder, target):
    name, file, _, _ = SERVERS[target]
    version = folder / "saved_models" / name / "1"
    version.mkdir(parents=True)
    (version / file).write_text("")


@pytest.mark.parametrize("target", SERVERS)
def test_the_server_gets_the_model_and_both_ports(target, tmp_path):
    put_model(tmp_path, target)
    status, said, arguments = make(target, tmp_path)
    assert status == 0, said
    name, _, image, flags = SERVERS[target]
    assert arguments[:2] == ["run", "--rm"]
    at = arguments.index(image)
    assert arguments[at + 1 :] == flags.split()
    options = list(zip(arguments[2:at:2], arguments[3:at:2]))
    for port in ("8500:8500", "8501:8501"):
        assert ("-p", port) in options
    assert ("-v", f"{tmp_path}/saved_models/{name}:/models/digits:ro") in options
    if target == "serve":
        assert ("-e", "MODEL_NAME=digits") in options
    else:
        assert ("-u", f"{os.getuid()}:{os.getgid()}") in options


@pytest.mark.parametrize("target", SERVERS)
@pytest.mark.parametrize(
    "given, message",
    [
        ({"docker": False}, "make {target} needs Docker, but the command 'docker' was not found"),
        ({"info": 1}, "make {target} needs access to a running Docker daemon"),
        ({}, "There is no model in saved_models/{name}. Run 'make demo' first"),
    ],
    ids=["no Docker", "no daemon", "no model"],
)
def test_what_is_missing_is_told(target, given, message, tmp_path):
    if given:
        put_model(tmp_path, target)
    else:  # the other server's model is there
        put_model(tmp_path, next(other for other in SERVERS if other != target))
    status, said, arguments = make(target, tmp_path, **given)
    assert status != 0
    assert message.format(target=target, name=SERVERS[target][0]) in said
    assert arguments is None
