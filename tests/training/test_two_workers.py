"""Two processes on this machine train as one does, also when both are killed in between."""

import json
import socket
import time

import numpy as np
import pytest

from tests.training import processes

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]


def free_ports():
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_two(directory, results, *arguments):
    workers = [f"127.0.0.1:{port}" for port in free_ports()]
    return [
        processes.start(
            "worker_script.py",
            directory,
            results / f"worker_{index}.npz",
            *arguments,
            TF_CONFIG=json.dumps(
                {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]


def wait_for_one(running):
    end = time.monotonic() + 120
    while all(process.poll() is None for process in running) and time.monotonic() < end:
        time.sleep(0.1)


def test_two_workers_train_evaluate_checkpoint_and_resume_as_one_process_does(tmp_path):
    single = processes.start("worker_script.py", tmp_path / "single", tmp_path / "single.npz")
    stopped = start_two(tmp_path / "both", tmp_path, "stop")
    wait_for_one(stopped)
    for process in stopped:  # the other one fails, or waits for ever for the one that is gone
        process.kill()
        _, complaints = process.communicate()
        assert process.returncode != 0
    processes.finish(single)
    saved = sorted(path.name for path in (tmp_path / "both").glob("step-*.npz"))
    assert saved[-1:] == ["step-0000000004.npz"], complaints[-4000:]
    resumed = start_two(tmp_path / "both", tmp_path)
    try:
        for process in resumed:
            processes.finish(process)
    finally:
        for process in resumed:
            process.kill()
            process.communicate()

    with np.load(tmp_path / "single.npz") as expected:
        for index in range(2):
            with np.load(tmp_path / f"worker_{index}.npz") as found:
                assert found["replicas"] == 2 and expected["replicas"] == 1
                assert set(found.files) == set(expected.files)
                assert found["loss"].shape == found["val_loss"].shape == (3,)
                for name in set(expected.files) - {"replicas"}:
                    np.testing.assert_allclose(
                        found[name], expected[name], rtol=0, atol=1e-5, err_msg=name
                    )
