import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from keras_perceiver.data.sources.battlefields import Battlefields


@pytest.fixture(scope="module")
def made():
    builder = Battlefields(num_entities=18)
    found = [builder.made(i, "train", np.random.default_rng([5, i])) for i in range(600)]
    return {key: np.stack([e[key] for e in found]) for key in found[0]}


def units(made, i):
    """Kinds, owners, health and places (0 to 1) of the units in the used slots, and the slots."""
    slots = np.flatnonzero(made["entities_mask"][i])
    rows = made["entities"][i, slots].astype(float)
    return rows[:, :3].argmax(1), rows[:, 3], rows[:, 4], (rows[:, 5:] + 1) / 2, slots


def test_slots(made):
    used = made["entities_mask"]
    assert set(used.sum(1)) == {6, 8, 10, 12, 14, 16, 18}
    assert not made["entities"][~used].any()
    assert 0.5 < used[:, 0].mean() < 0.8  # units are in any slots
    for name in ("nearest_enemy", "nearest_enemy_kind"):
        assert not made[name][~used].any()
    rows = made["entities"][used]
    assert (rows[:, :3].sum(1) == 1).all() and set(rows[:, 3]) == {-1, 1}
    assert rows[:, 4].min() >= 0.3 and rows[:, 4].max() <= 1 and np.abs(rows[:, 5:]).max() <= 1
    assert made["winner"].mean() == 0.5


def test_both_sides_have_the_same_units(made):
    for i in range(50):
        kinds, owners, health, _, _ = units(made, i)
        ours, theirs = (sorted(zip(kinds[owners == o], health[owners == o])) for o in (-1, 1))
        assert ours == theirs


def blows(made, i, strength=True):
    """The rule as the docstring says it, unit by unit."""
    kinds, owners, health, places, _ = units(made, i)
    beaten = {1: 0, 0: 2, 2: 1}  # riders beat archers, archers beat spearmen, ...
    struck = {-1: 0.0, 1: 0.0}
    for a in range(len(kinds)):
        for b in range(len(kinds)):
            distance = np.linalg.norm(places[a] - places[b])
            if owners[a] != owners[b] and distance < (0.45, 0.35, 0.25)[kinds[a]]:
                factor = 1 if kinds[a] == kinds[b] else 2 if beaten[kinds[a]] == kinds[b] else 0.5
                struck[owners[a]] += health[a] * (factor if strength else 1)
    return struck[-1], struck[1]


def test_the_side_that_strikes_harder_wins_by_a_fifth(made):
    for i in range(60):
        struck = blows(made, i)
        assert struck[made["winner"][i]] == max(struck)
        assert min(struck) <= 0.801 * max(struck)


def test_part_of_the_rule_wins_more_often_than_not(made):
    right = [np.argmax(blows(made, i, strength=False)) == made["winner"][i] for i in range(150)]
    assert 0.55 < np.mean(right) < 0.95


def test_nearest_enemies(made):
    for i in range(60):
        kinds, owners, _, places, slots = units(made, i)
        for unit, slot in enumerate(slots):
            enemies = np.flatnonzero(owners != owners[unit])
            distances = np.linalg.norm(places[enemies] - places[unit], axis=1)
            nearest = enemies[distances.argmin()]
            assert made["nearest_enemy"][i, slot] == slots[nearest]
            assert made["nearest_enemy_kind"][i, slot] == kinds[nearest]


def test_sums_over_units_do_not_tell_the_winner(made):
    """Sums for each side of all products of two features of a unit, in a linear model."""
    entities = made["entities"]
    products = np.einsum("nei,nej->neij", entities, entities).reshape(*entities.shape[:2], -1)
    singles = np.concatenate([entities, products], -1)
    sums = (singles * entities[..., 3:4]).sum(1)
    model = LogisticRegression(C=0.1, max_iter=300).fit(sums[:400], made["winner"][:400])
    assert 0.38 < model.score(sums[400:], made["winner"][400:]) < 0.62


def test_the_kind_of_the_nearest_enemy_is_not_that_of_most(made):
    used = made["entities_mask"]
    share = np.bincount(made["nearest_enemy_kind"][used]) / used.sum()
    np.testing.assert_allclose(share, 1 / 3, atol=0.03)
    own = made["entities"][..., :3].argmax(-1)[used]
    assert np.mean(own == made["nearest_enemy_kind"][used]) < 0.45
