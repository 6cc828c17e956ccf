"""Texts with one label, and texts alone, as bytes."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.data.text_ids import text_ids
from keras_perceiver.inputs.text import Text
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.tokens import Tokens
from keras_perceiver.outputs.values import Values

_SEPARATOR = "\n"  # between the two sentences of a pair


def texts(builder, *, max_length=512, keys=("text",), label="label", splits=None):
    """Texts of at most `max_length` bytes, and their class or, where it is a number, their value.

    Args:
        builder: A builder of TFDS.
        max_length: Longer texts are truncated.
        keys: The features that make the text; several are joined by a line break.
        label: The feature that is the answer.
    """
    arguments.whole_number("max_length", max_length)
    feature = builder.info.features[label]
    classes = getattr(feature, "num_classes", None)

    def read(features):
        text = tf.strings.join([features[key] for key in keys], _SEPARATOR)
        answer = features[label]
        if classes is None:
            return text, tf.cast(answer, tf.float32)[None]
        return text, tf.cast(answer, tf.int32)

    return Recipe(
        builder.name,
        Text(max_length),
        Values(1) if classes is None else Classes(classes),
        read,
        lambda text: text_ids(text, max_length),
        usual_splits(builder, splits),
        None if classes is None else tuple(feature.names),
    )


def unlabelled_texts(builder, *, max_length=512, key="text", splits=None):
    """Texts of at most `max_length` bytes; the targets are their own bytes.

    For masked language modelling, mask them: `kp.data.masked_words(pipeline.map(lambda x, y: x))`.
    """
    arguments.whole_number("max_length", max_length)

    def read(features):
        return features[key], text_ids(features[key], max_length)

    return Recipe(
        builder.name,
        {"text": Text(max_length)},
        Tokens(tied_to="text"),
        read,
        lambda text: text_ids(text, max_length),
        usual_splits(builder, splits),
    )
