"""Battles between sets of units."""

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.made_builder import MadeBuilder

UNITS = ("archer", "rider", "spearman")
_RANGES = np.array([0.45, 0.35, 0.25])  # of the width of the field
_STRENGTH = np.array([[1, 0.5, 2], [2, 1, 0.5], [0.5, 2, 1]])  # of the row against the column
_FEATURES = ("archer", "rider", "spearman", "owner", "health", "x", "y")
_FEWEST = 3  # units of a side


class Battlefields(MadeBuilder):
    """Two armies on a field: who wins, and what stands nearest. Units in small, as in StarCraft.

    Both sides have the same units with the same health, so that only places decide: no sum over the
    kinds and health of its units tells a side from the other. A unit strikes every enemy in its
    range (archers the farthest) with its health times its strength against that kind: riders beat
    archers, archers beat spearmen, spearmen beat riders (2 against 0.5). The side that strikes
    harder, by a fifth or more, wins. Both answers need units related to each other.

    Args:
        num_entities: Slots for units, an even number of at least 6. Each side has 3 to half as many
            units, in random slots.
        seed: Fixes the data.
        num_train, num_validation, num_test: Examples of each split; each side wins half of them.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples for `kp.build_entity_encoder`: `entities` `(num_entities, 7)` float32 (three for
        the kind, owner -1 or 1, health from 0.3 to 1, x and y from -1 to 1; zeros in unused slots)
        and `entities_mask` `(num_entities,)` bool, True in used slots. Answers: `winner`, 0 for the
        owner -1 and 1 for the owner 1; for each unit the slot of its `nearest_enemy`
        `(num_entities,)` int32, and `nearest_enemy_kind` `(num_entities,)` int32 from 0 to 2, the
        kind in the order of `info.metadata["unit_names"]`; both 0 in unused slots.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> builder = Battlefields(num_entities=32)
    >>> builder.download_and_prepare()

    Reference: Perceiver IO (arXiv 2107.14795), section 4.5 and appendix B.
    """

    def __init__(
        self,
        *,
        num_entities=24,
        seed=0,
        num_train=8000,
        num_validation=500,
        num_test=1000,
        **others,
    ):
        arguments.whole_number("num_entities", num_entities, at_least=2 * _FEWEST)
        arguments.divisible("num_entities", num_entities, "number of sides", 2)
        counts = {"num_train": num_train, "num_validation": num_validation, "num_test": num_test}
        super().__init__({"num_entities": num_entities}, seed=seed, **counts, **others)

    def made(self, number, split, random):
        slots = self.options["num_entities"]
        while True:
            count = random.integers(_FEWEST, slots // 2 + 1)
            kinds = np.tile(random.integers(len(UNITS), size=count), 2)
            health = np.tile(random.uniform(0.3, 1, count), 2)
            owners = np.repeat([0, 1], count)
            places = random.uniform(0, 1, (2 * count, 2))
            blows = struck(kinds, health, owners, places)
            if abs(blows[1] - blows[0]) > 0.2 * max(blows):
                break
        winner = number % 2
        if blows[winner] < blows[1 - winner]:
            owners = 1 - owners
        order = random.permutation(slots)[: 2 * count]  # the slot of each unit
        nearest = order[_nearest_enemies(owners, places)]
        kind_in_slot = _spread(kinds, order, slots)
        features = [np.eye(len(UNITS))[kinds], 2 * owners[:, None] - 1, health[:, None]]
        features = np.concatenate([*features, 2 * places - 1], 1).astype("float32")
        used = _spread(np.ones(2 * count, bool), order, slots)
        return {
            "entities": _spread(features, order, slots),
            "entities_mask": used,
            "winner": winner,
            "nearest_enemy": _spread(nearest.astype("int32"), order, slots),
            "nearest_enemy_kind": _spread(kind_in_slot[nearest].astype("int32"), order, slots),
        }

    def described(self):
        slots = self.options["num_entities"]
        answers = tfds.features.Tensor(shape=(slots,), dtype=np.int32)
        names = {"unit_names": list(UNITS), "feature_names": list(_FEATURES)}
        return {
            "description": "Two armies on a field: who wins, and what stands nearest.",
            "metadata": tfds.core.MetadataDict(**names),
            "features": tfds.features.FeaturesDict(
                {
                    "entities": tfds.features.Tensor(
                        shape=(slots, len(_FEATURES)), dtype=np.float32
                    ),
                    "entities_mask": tfds.features.Tensor(shape=(slots,), dtype=np.bool_),
                    "winner": tfds.features.ClassLabel(num_classes=2),
                    "nearest_enemy": answers,
                    "nearest_enemy_kind": answers,
                }
            ),
        }


def struck(kinds, health, owners, places):
    """How hard each of the two sides strikes: the rule of `Battlefields`."""
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    strikes = (owners[:, None] != owners[None]) & (distances < _RANGES[kinds][:, None])
    blows = (strikes * health[:, None] * _STRENGTH[np.ix_(kinds, kinds)]).sum(1)
    return [blows[owners == side].sum() for side in (0, 1)]


def _nearest_enemies(owners, places):
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    return np.where(owners[:, None] != owners[None], distances, np.inf).argmin(1)


def _spread(values, order, slots):
    """Values of units put into their slots; the others stay 0."""
    spread = np.zeros((slots, *values.shape[1:]), values.dtype)
    spread[order] = values
    return spread
