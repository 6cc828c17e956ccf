"""A chief that draws and two workers that train, as processes of their own on one machine."""

import json
import os
import socket
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import json, sys
import keras_tuner
import numpy as np
import keras_perceiver as kp


class Eager(kp.tuning.PerceiverHyperModel):
    def build(self, hp):
        model = super().build(hp)
        model.run_eagerly = True
        return model


labels = np.arange(24) % 3
inputs = np.eye(3, dtype="float32")[labels][:, :, None] + np.zeros((24, 3, 2), "float32")
hypermodel = Eager(
    (3, 2), num_classes=3, budget={"parameters": 1500}, jit_compile=False,
    search={"latent_dim": [4, 6, 8], "num_latents": [2, 3], "num_self_attention_heads": [2, 3],
            "num_self_attends_per_block": [1, 2], "learning_rate": (1e-3, 1e-2)},
)
tuner = keras_tuner.RandomSearch(
    hypermodel, objective="val_loss", max_trials=6, seed=1, directory=sys.argv[1],
    project_name="search",
)
tuner.search(inputs, labels, validation_data=(inputs, labels), epochs=2, verbose=0)
trials = getattr(tuner.oracle, "trials", {})  # the chief's; workers ask for theirs one by one
print(json.dumps([
    [trial.status, trial.score, hypermodel.costs(trial.hyperparameters).parameters]
    for trial in trials.values()
]))
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_two_workers_train_what_the_chief_draws(tmp_path):
    environment = {
        **os.environ,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(free_port()),
        "TF_NUM_INTRAOP_THREADS": "1",
    }
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy"):
        environment.pop(proxy, None)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path)],
            env={**environment, "KERASTUNER_TUNER_ID": tuner_id},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for tuner_id in ("chief", "worker0", "worker1")
    ]
    try:
        results = [process.communicate(timeout=600) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, errors) in zip(processes, results):
        assert process.returncode == 0, errors[-2000:]
    trials = json.loads(results[0][0].splitlines()[-1])
    assert len(trials) == 6
    assert all(status == "COMPLETED" for status, _, _ in trials)
    assert all(score > 0 and parameters <= 1500 for _, score, parameters in trials)
