"""Maps of 50,176 pixels and 512 latents: memory, measured in a process of its own."""

import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np
import keras_perceiver as kp

def now(name):
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(lines[name].split()[0]) / 1024

model = kp.build_perceiver_io(
    {"image": kp.Image(224, 224, 3, num_bands=64)}, kp.Classes(10), num_latents=512,
    latent_dim=64, num_self_attends_per_block=1, num_cross_attends=2, attention=ATTENTION,
    num_cross_attention_heads=1, compile=False,
)
images = {"image": np.random.default_rng(0).random((2, 224, 224, 3), "float32")}
maps = kp.visualization.attention_maps
maps(model, {"image": images["image"][:1]}, "decoder")  # the encoder has run
before = now("VmRSS")
open("/proc/self/clear_refs", "w").write("5")  # the peak is measured from here
found = maps(model, images)["classes"]["image"]
one = maps(model, {"image": images["image"][:1]}, "encoder", cross_attends=[1])["image"]
assert found.shape == (2, 1, 224, 224) and one.shape == (1, 1, 512, 224, 224)
print(now("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("attention", ["separable", "chunked"])
def test_one_map_at_a_time(attention):
    code = SCRIPT.replace("ATTENTION", repr(attention))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert float(run.stdout.split()[-1]) < 500  # MiB; one map has 98, twelve are asked for in all
