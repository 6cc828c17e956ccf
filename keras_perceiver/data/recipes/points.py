"""Sets of points with one label."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.lengths import padded
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.inputs.points import Points
from keras_perceiver.outputs.classes import Classes


def points(builder, *, num_points=None, num_bands=16, max_resolution=64, splits=None):
    """Point sets, moved to their centre and scaled into [-1, 1], and their class.

    Args:
        builder: A builder of TFDS with the features "points" (n, num_axes) and "label".
        num_points: Points of the model's input: so many, at equal steps, of larger sets; smaller
            sets are padded and masked. Default: the number in the data set if that is one,
            otherwise open; `load` then takes `buckets`.
        num_bands, max_resolution: As of `Points`.
    """
    arguments.optional_whole_number("num_points", num_points)
    feature, label = builder.info.features["points"], builder.info.features["label"]
    known, num_axes = feature.shape
    num_points = num_points or known
    masked = known is None or num_points > known
    described = Points(
        num_points, num_axes, num_bands=num_bands, max_resolution=max_resolution, masked=masked
    )

    def read(features):
        return tf.cast(features["points"], tf.float32), tf.cast(features["label"], tf.int32)

    def prepare(coordinates):
        coordinates -= tf.reduce_mean(coordinates, axis=0)
        coordinates = tf.math.divide_no_nan(coordinates, tf.reduce_max(tf.abs(coordinates)))
        count = tf.shape(coordinates)[0]
        if num_points is not None:  # every n-th: cutting would take away one side
            kept = tf.minimum(count, num_points)
            coordinates = tf.gather(coordinates, tf.range(kept) * count // tf.maximum(kept, 1))
        if masked:
            return padded("points", coordinates, num_points)
        return tf.ensure_shape(coordinates, (num_points, num_axes))

    return Recipe(
        builder.name,
        {"points": described} if masked else described,
        Classes(label.num_classes),
        read,
        prepare,
        usual_splits(builder, splits),
        tuple(label.names),
        open=num_points is None,
    )
