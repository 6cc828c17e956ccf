"""An export that is killed leaves whole versions only."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.export.small import ask

pytestmark = pytest.mark.slow

ENDLESS = """
import sys
import keras_perceiver as kp
from tests.export.small import digits_model
model = digits_model()
while True:
    kp.export.saved_model(model, sys.argv[1])
"""


def test_every_version_is_whole_after_a_kill(tmp_path):
    folder = tmp_path / "digits"
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(folder)])
    end = time.monotonic() + 100
    while not (folder / "1").exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    while not list(folder.glob(".writing-*/saved_model.pb")):  # in the middle of the second
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    versions = [path for path in folder.iterdir() if path.name.isdigit()]
    assert versions and list(folder.glob(".writing-*"))
    for version in versions:
        answer = ask(
            tf.saved_model.load(version), "decode", {"latents": np.zeros((1, 5, 12), "float32")}
        )
        assert answer["classes"].shape == (1, 10)
        assert (version / "assets.extra" / "tf_serving_warmup_requests").exists()
