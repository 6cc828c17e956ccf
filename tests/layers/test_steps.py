"""How a large computation is cut into chunks."""

import numpy as np
import pytest
from keras import ops

from keras_perceiver.layers import steps
from tests.random_values import normal, to_numpy


@pytest.mark.parametrize("n", [1, 2, 7, 12, 101])
@pytest.mark.parametrize("size", [1, 3, 5, 200, None])
def test_in_steps_gives_what_all_at_once_gives(n, size):
    plan = steps.Plan(3, n, size)
    x, y = normal(3, n, 4), normal(3, n, seed=1)

    def function(example, x, y):
        assert (example is None) == (size is None)
        return x * 2 + y[..., None], ops.sum(x, axis=-1)

    doubled, total = to_numpy(plan.in_steps(function, x, y))
    np.testing.assert_allclose(doubled, x * 2 + y[..., None], rtol=1e-6)
    np.testing.assert_allclose(total, x.sum(-1), rtol=1e-5)


@pytest.mark.parametrize("n", [1, 7, 12, 101])
@pytest.mark.parametrize("size", [1, 5, 200, None])
def test_accumulate_sums_every_chunk_once(n, size):
    """Chunks are filled up with zeros, which a sum does not see."""
    plan, x = steps.Plan(3, n, size), normal(3, n, 4)

    def function(so_far, example, x):
        return so_far + ops.sum(x, axis=-2)

    found = to_numpy(plan.accumulate(function, ops.zeros((3, 4)), ops.convert_to_tensor(x)))
    np.testing.assert_allclose(found, x.sum(1), atol=1e-5)


@pytest.mark.parametrize("n, size, fills", [(12, 4, False), (12, 200, False), (101, 10, True)])
def test_whether_the_last_chunk_is_filled_up(n, size, fills):
    assert steps.Plan(2, n, size).fills_up == fills
    assert not steps.Plan(2, n, None).fills_up


def test_how_much_is_done_at_once():
    """Chunks of one example fit the budget, unless reading for them would be most of the work."""
    each = steps.FLOAT * 10 * 100
    assert steps.plan(1, 1000, 10, 100, budget=8 * each).size == 8
    assert steps.plan(1, 1000, 10, 100, budget=1).size == 1
    assert steps.plan(2, 3, 10, 100, budget=6 * each).size is None
    assert steps.plan(1, 1000, 10, 100, reads=10**9).size is None
    assert steps.plan(1, 1000, None, 100).size == 16
