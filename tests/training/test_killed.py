"""A training that is killed again and again ends where one that is not does."""

import random
import signal

import numpy as np
import pytest

from tests.training import processes

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow]


def test_killed_at_random_moments_and_within_a_checkpoint(tmp_path):
    """Shuffled and augmented data, dropout, a schedule, moving averages, a smaller last batch."""
    whole = processes.start("killed_script.py", tmp_path / "whole", tmp_path / "whole.npz")
    seed = random.randrange(1000)
    print(f"seed {seed}")  # shown if this fails
    draw = random.Random(seed)
    random_moments = [draw.uniform(0, 0.4), draw.uniform(0, 0.4)]
    for how in [f"checkpoint={draw.randrange(3, 9)}", *random_moments]:
        process = processes.start("killed_script.py", tmp_path / "killed", tmp_path / "k.npz", how)
        _, complaints = process.communicate(timeout=600)
        assert process.returncode == -signal.SIGKILL, complaints
        assert not (tmp_path / "k.npz").exists()
        names = [path.name for path in (tmp_path / "killed").iterdir()]
        assert any(name.startswith(".writing-") for name in names) or "checkpoint" not in str(how)
    processes.run("killed_script.py", tmp_path / "killed", tmp_path / "k.npz")
    processes.finish(whole)
    names = [path.name for path in (tmp_path / "killed").iterdir()]
    assert len(names) == 3 and all(name.startswith("step-") for name in names)
    with np.load(tmp_path / "whole.npz") as expected, np.load(tmp_path / "k.npz") as found:
        assert set(found.files) == set(expected.files) and found["loss"].shape == (6,)
        for name in expected.files:
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-6, err_msg=name)
