"""The examples of the published models run without weights, and with a directory of weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkpoints.small_models import SmallModel

ROOT = Path(__file__).parents[2]
MEANINGLESS = "Warning: the weights are random"


def run(name, *arguments, folder):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def saved(family, folder, **config):
    small = SmallModel(family)
    small.config = json.dumps({**json.loads(small.config), **config})
    return small.save(folder / family)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, arguments, answers",
    [
        ("fill_in_bytes.py", [], ["answered: This is an incomplete sentence where"]),
        ("classify_image.py", ["--top", 2], ["%  "]),
        ("optical_flow.py", [], ["end-point error", "flow.png"]),
        ("reconstruct_clip.py", [], ["PSNR", "clip.gif", "clip.wav"]),
        ("finetune_sentences.py", ["--max-length", 64], ["36 sentences", "loss of hidden bytes"]),
    ],
)
def test_without_weights_it_warns(name, arguments, answers, tmp_path):
    printed = run(name, "--quick", *arguments, folder=tmp_path)
    assert MEANINGLESS in printed
    for answer in answers:
        assert answer in printed
    for file in ("flow.png", "clip.gif", "clip.wav"):
        assert (tmp_path / file).exists() == any(file in answer for answer in answers)


@pytest.mark.slow
def test_with_weights_it_does_not(tmp_path):
    pytest.importorskip("safetensors")
    texts = saved("language", tmp_path)
    printed = run(
        "fill_in_bytes.py", "--weights", texts, "--text", "a cat", "--hide", "cat", folder=tmp_path
    )
    assert MEANINGLESS not in printed and "answered: a " in printed
    images = saved("fourier", tmp_path, id2label={str(i): f"class {i}" for i in range(7)})
    printed = run("classify_image.py", "--weights", images, "--top", 7, folder=tmp_path)
    assert MEANINGLESS not in printed
    assert {f"class {i}" for i in range(7)} == {line[8:] for line in printed.splitlines()[:7]}
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(f"the cat sat on mat {i} again" for i in range(30)))
    printed = run("finetune_sentences.py", lines, "--weights", texts, "--max-length", 48,
                  "--freeze", "--quick", folder=tmp_path)  # fmt: skip
    assert MEANINGLESS not in printed and "27 sentences; 3 kept aside" in printed
    again = tmp_path / "saved_models" / "sentences"
    printed = run("finetune_sentences.py", lines, "--weights", again, "--max-length", 48,
                  "--quick", folder=tmp_path)  # fmt: skip
    assert "loss of hidden bytes" in printed
