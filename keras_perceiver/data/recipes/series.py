"""Measurements over time with one label."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.lengths import padded
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.inputs.series import Series
from keras_perceiver.outputs.classes import Classes


def series(builder, *, length=None, longest=None, equal=False, key="series", splits=None):
    """Series and their class. Those of unequal lengths have a mask.

    Args:
        builder: A builder of TFDS with the features `key` (n, channels) and "label".
        length: Steps of the model's input: longer series are cut, shorter ones padded. Default: the
            length of the data set if that is one, otherwise open; `load` then takes `buckets`.
        longest: Steps of the longest series. Positions distinguish so many steps.
        equal: Whether all series have `longest` steps.
        key: The feature that is the series.
    """
    arguments.optional_whole_number("length", length)
    feature, label = builder.info.features[key], builder.info.features["label"]
    known, channels = feature.shape
    longest, equal = longest or known, equal or known is not None
    is_equal = equal and length in (None, longest)
    length = longest if is_equal else length
    described = (length, channels)
    if not is_equal:
        resolution = length or longest
        described = Series(
            length, channels, stem="steps", max_resolution=resolution, masked=True, normalize=True
        )

    def read(features):
        return tf.cast(features[key], tf.float32), tf.cast(features["label"], tf.int32)

    def prepare(values):
        if is_equal:
            return tf.ensure_shape(values, (length, channels))
        return padded("series", values, length)

    return Recipe(
        builder.name,
        described if is_equal else {"series": described},
        Classes(label.num_classes),
        read,
        prepare,
        usual_splits(builder, splits),
        tuple(label.names),
        open=length is None,
    )
