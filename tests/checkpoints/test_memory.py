"""While weights are read, there is the model in memory and one tensor more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkpoints.small_models import SmallModel, weight

READ = """
import sys, threading, time
import keras_perceiver as kp

def resident():  # without the pages of mapped files, which the system takes back when it needs them
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))

peak, stop = [0], threading.Event()
def watch():
    while not stop.is_set():
        peak[0] = max(peak[0], resident())
        time.sleep(0.002)

place = sys.argv[1]
kp.build_classifier((4, 4, 1), 2)  # what is made once, by the first model
before = resident()
threading.Thread(target=watch, daemon=True).start()
model = kp.from_preset(place, compile=False)
stop.set()
print(4 * model.count_params() // 1024, peak[0] - before)
"""
WIDE = {"d_latents": 1536, "num_self_attends_per_block": 3, "image_size": 8}


@pytest.mark.slow
@pytest.mark.tensorflow
def test_reading_takes_the_model_and_one_tensor(tmp_path):
    pytest.importorskip("safetensors")
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc")
    small = SmallModel("fourier")
    small.config = json.dumps({**json.loads(small.config), **WIDE})
    shapes = {}
    for name, shape in small.shapes.items():
        wide = [WIDE["d_latents"] if size == 24 else size for size in shape]
        shapes[name] = wide
        if "self_attends.1." in name:
            shapes[name.replace("self_attends.1.", "self_attends.2.")] = wide
    small.shapes = shapes
    folder = small.save(tmp_path / "wide", {n: weight(n, shape) for n, shape in shapes.items()})
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    model, growth = map(int, done.stdout.split()[-2:])
    assert model > 150_000  # KiB
    # A tensor, 4 % of the model, is read, converted and assigned, and freed memory is kept for a
    # while: a few copies of one tensor, and not a second model, as if all were read first.
    assert growth < 1.4 * model
