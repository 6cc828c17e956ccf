"""Sets of entities, with answers for all of them and for each."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.inputs.entities import Entities
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.per_input import PerInput

_KINDS = 3  # of units
ANSWERS = ("winner", "nearest_enemy_kind")


def battles(builder, *, answer="winner", splits=None):
    """The units of a battle, with a mask of the slots in use, and one answer.

    Args:
        builder: The builder of `battlefields`.
        answer: "winner": one of two sides. "nearest_enemy_kind": one of three kinds, for each
            unit; unused slots are weighted with 0.
    """
    arguments.one_of("answer", answer, ANSWERS)
    slots, width = builder.info.features["entities"].shape
    outputs = {
        "winner": Classes(2),
        "nearest_enemy_kind": PerInput("entities", num_classes=_KINDS),
    }

    def read(features):
        raw = {key: features[key] for key in ("entities", "entities_mask")}
        target = tf.cast(features[answer], tf.int32)
        if answer == "winner":
            return raw, target
        return raw, tf.maximum(target, 0), tf.cast(raw["entities_mask"], tf.float32)

    return Recipe(
        builder.name,
        {"entities": Entities(slots, width)},
        outputs[answer],
        read,
        dict,
        usual_splits(builder, splits),
    )
