"""Every way down the tree is a combination that fits, and none is missing."""

import itertools

import keras_tuner
import pytest

from keras_perceiver.tuning import SearchSpace

CANDIDATES = {"width": [2, 4, 8], "count": [1, 2, 3], "heads": [1, 2, 4]}


def fits(drawn):
    return drawn["width"] % drawn["heads"] == 0 and drawn["width"] * drawn["count"] <= 12


def reached(space):
    """All combinations that a tuner can draw, from the declared hyperparameters alone."""
    found = []

    def walk(hp, left):
        active = [one for one in left if hp.is_active(one)]
        if not active:
            return found.append(space.chosen(hp))
        for value in active[0].values:
            below = hp.copy()
            below.values = {**hp.values, active[0].name: value}
            walk(below, left[left.index(active[0]) + 1 :])

    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    start = hp.copy()
    start.values = {}
    walk(start, list(hp.space))
    return found


def test_what_can_be_drawn_is_what_fits():
    space = SearchSpace(CANDIDATES, fits)
    every = [dict(zip(CANDIDATES, v)) for v in itertools.product(*CANDIDATES.values())]
    wanted = [drawn for drawn in every if fits(drawn)]
    assert 0 < len(wanted) < len(every)
    assert space.combinations() == wanted
    found = reached(space)
    assert len(found) == len(wanted)
    assert all(drawn in wanted for drawn in found)


def test_without_a_bound_names_are_plain():
    hp = keras_tuner.HyperParameters()
    SearchSpace(CANDIDATES, lambda drawn: True).declare(hp)
    assert [one.name for one in hp.space] == ["width", "count", "heads"]


def test_cases_are_named():
    hp = keras_tuner.HyperParameters()
    space = SearchSpace(CANDIDATES, fits)
    space.declare(hp)
    names = [one.name for one in hp.space]
    assert names[0] == "width"
    assert names[1:3] == ["count/width=2", "heads/width=2"]
    assert len(set(names)) == len(names)
    assert space.chosen(hp) == {"width": 2, "count": 1, "heads": 1}


def test_no_choice_at_all_is_one_combination():
    space = SearchSpace({}, lambda drawn: True)
    assert space.combinations() == [{}]
    assert space.chosen(keras_tuner.HyperParameters()) == {}


def test_nothing_fits_and_too_much_to_look_at():
    with pytest.raises(ValueError, match="No combination of the searched sizes fits"):
        SearchSpace(CANDIDATES, lambda drawn: False)
    with pytest.raises(ValueError, match="at most 20,000 combinations"):
        SearchSpace({"a": range(200), "b": range(200)}, lambda drawn: True)
