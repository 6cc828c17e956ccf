"""Files of arrays: whole or not there, and any damage shows."""

import warnings

import numpy as np
import pytest

from keras_perceiver import sealed_arrays
from keras_perceiver.training.checkpoint_directory import CheckpointDirectory

ARRAYS = {
    "weights": np.arange(35, dtype="float32").reshape(5, 7),
    "step": np.array(7),
    "text": np.array("of any length"),
}


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "arrays.npz"
    sealed_arrays.write(path, ARRAYS)
    found = sealed_arrays.read(path)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
    with np.load(path) as ordinary:
        assert set(ordinary.files) == set(ARRAYS)
    assert [file.name for file in tmp_path.iterdir()] == ["arrays.npz"]


def test_every_flipped_bit_is_found(tmp_path):
    path = tmp_path / "arrays.npz"
    sealed_arrays.write(path, ARRAYS)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in range(len(good)):
        damaged = bytearray(good)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="checksum"):
            sealed_arrays.read(path)
    for length in (0, 1, 63, 64, 65, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(ValueError):
            sealed_arrays.read(path)


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "arrays.npz"
    sealed_arrays.write(path, ARRAYS)
    good = path.read_bytes()
    with pytest.raises(RuntimeError), sealed_arrays.written_aside(path) as aside:
        aside.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == good and list(tmp_path.iterdir()) == [path]


def test_one_flipped_bit_in_the_newest_checkpoint(tmp_path):
    """Wherever it is: the last good one, and a warning."""
    checkpoints = CheckpointDirectory(tmp_path)
    for step in (1, 2):
        arrays = [np.full((3, 2), step, "float32"), np.array(step)]
        assert checkpoints.save(step, {"epoch": step, "stopped": False}, arrays)
    newest = tmp_path / "step-0000000002.npz"
    good = newest.read_bytes()
    for position in np.random.default_rng(1).choice(len(good), 300, replace=False):
        damaged = bytearray(good)
        damaged[position] ^= 4
        newest.write_bytes(damaged)
        with pytest.warns(UserWarning, match="cannot be read and is skipped"):
            where, arrays = checkpoints.newest()
        assert where["epoch"] == 1
        np.testing.assert_array_equal(arrays[0], np.ones((3, 2)))
    newest.write_bytes(good)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checkpoints.newest()[0]["epoch"] == 2
