"""Slices give what loops and what everything at once give."""

import threading

import numpy as np
import pytest
from keras import ops

from keras_perceiver.layers import slices, steps
from keras_perceiver.layers.attend_by_inputs import attend_by_inputs
from keras_perceiver.layers.attend_by_queries import attend_by_queries
from keras_perceiver.layers.attend_from_grid import attend_from_grid
from keras_perceiver.layers.attend_to_grid import attend_to_grid
from tests.random_values import normal, to_numpy

MASK = np.random.default_rng(0).random((2, 15)) < 0.6


def to_grid(budget, rows=3, columns=5, **options):
    arrays = (normal(2, 7, 4), normal(2, 7, rows), normal(2, 7, columns))
    cells = (normal(2, 15, 4, mean=100), np.abs(normal(2, 15, mean=1)))
    arrays = [ops.convert_to_tensor(array) for array in (*arrays, *cells)]
    return attend_to_grid(*arrays, budget=budget, **options)


def from_grid(budget, rows=3, columns=5):
    arrays = (normal(2, 7, 4), normal(2, 7, rows), normal(2, 7, columns), normal(2, 7))
    cells = (normal(2, 7, 6), normal(2, 15, 4, mean=100), np.abs(normal(2, 15, mean=1)))
    return attend_from_grid(*map(ops.convert_to_tensor, (*arrays, *cells)), budget=budget)


def by_inputs(budget, **options):
    arrays = (normal(2, 7, 6), normal(2, 15, 4, mean=100), normal(4, 12), normal(12))
    arrays = map(ops.convert_to_tensor, arrays)
    return attend_by_inputs(*arrays, epsilon=1e-5, num_heads=2, budget=budget, **options)


def by_queries(budget, **options):
    arrays = map(ops.convert_to_tensor, (normal(2, 7, 6), normal(2, 15, 6), normal(2, 15, 4)))
    return attend_by_queries(*arrays, num_heads=2, budget=budget, **options)


CASES = {
    "to a grid": to_grid,
    "to a line": lambda budget: to_grid(budget, 1, 15),
    "to a masked grid": lambda budget: to_grid(budget, mask=MASK, with_logsumexp=True),
    "from a grid": from_grid,
    "from a line": lambda budget: from_grid(budget, 1, 15),
    "by inputs": by_inputs,
    "by masked inputs": lambda budget: by_inputs(budget, masks=[MASK[:, None], MASK[:, :7, None]]),
    "by queries": by_queries,
    "by masked queries": lambda budget: by_queries(
        budget, masks=[MASK[:, None], MASK[:, :7, None]]
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("budget", [1, 150, 2**20])
def test_slices_give_the_same_numbers(name, budget):
    wanted = to_numpy(CASES[name](2**20))
    with slices.unrolled():
        found = to_numpy(CASES[name](budget))
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("n, size, lengths", [(7, 3, [2, 2, 3]), (7, None, [7]), (2, 1, [1, 1])])
def test_slices_are_of_about_the_same_length(n, size, lengths):
    found = []
    slices.fitting(n, size).in_steps(lambda _, x: found.append(x.shape[1]) or x, normal(3, n, 2))
    assert found == lengths


def test_there_are_never_many_slices():
    assert slices.fitting(50_176, 1).count == slices.MOST
    assert slices.fitting(None, 1).count == 1


def test_only_what_is_asked_for_is_unrolled():
    seen = []
    with pytest.raises(KeyError), slices.unrolled():
        thread = threading.Thread(target=lambda: seen.append(slices.are_wanted()))
        thread.start()
        thread.join()
        seen.append(isinstance(steps.plan(1, 9, 9, 9), slices.Slices))
        raise KeyError
    assert seen == [False, True]
    assert isinstance(steps.plan(1, 9, 9, 9), steps.Plan)
