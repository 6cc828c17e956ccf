import numpy as np
import pytest

from keras_perceiver.data.sources import near_duplicates as module
from keras_perceiver.data.sources.near_duplicates import near_duplicates


def test_chains_of_pairs_are_groups():
    flat = np.array([0, 100, 4, 8, 103, 50])
    images = np.broadcast_to(flat[:, None, None], (6, 4, 6)).astype("uint8")
    groups = near_duplicates(images, 5)
    assert len(set(groups)) == 3
    assert groups[0] == groups[2] == groups[3] and groups[1] == groups[4]
    assert len(set(near_duplicates(images, 4))) == 5  # 100 and 103 alone: 4 is not less than 4


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_it_is_the_root_mean_square_at_half_the_resolution(monkeypatch, rows):
    monkeypatch.setattr(module, "_ROWS", rows)
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (29, 6, 10))
    small = images.reshape(29, 3, 2, 5, 2).mean((2, 4))
    apart = np.sqrt(((small[:, None] - small[None]) ** 2).mean((2, 3)))
    limit = np.sort(apart[np.triu_indices(29, 1)])[20:22].mean()
    groups = near_duplicates(images, limit)
    for a in range(29):  # groups are what the pairs connect: checked by colouring
        reached, frontier = {a}, [a]
        while frontier:
            near = set(np.flatnonzero(apart[frontier.pop()] < limit)) - reached
            reached |= near
            frontier += near
        assert set(np.flatnonzero(groups == groups[a])) == reached


@pytest.mark.parametrize("shape", [(3, 5, 4), (3, 4, 5), (3, 4), (3, 4, 4, 1)])
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match="`images` must be an array"):
        near_duplicates(np.zeros(shape), 5)
