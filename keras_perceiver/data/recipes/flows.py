"""Pairs of pictures and the optical flow between them."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.inputs.frame_pair import FramePair
from keras_perceiver.outputs.flow import Flow


def flows(builder, *, size=(368, 496), splits=None):
    """Two frames in [-1, 1], their middle of the given size, and the flow in pixels.

    Flow that is not known is weighted with 0: the pipeline has elements (inputs, targets, weights).

    Args:
        builder: A builder of TFDS with the features "first", "second", "flow" and "valid".
        size: Height and width; smaller frames are refused when they are read.
    """
    height, width = arguments.sizes("size", size, rank=2)

    def read(features):
        top, left = _start(features["flow"], height), _start(features["flow"], width, axis=1)

        def middle(array):
            return array[top : top + height, left : left + width]

        frames = tf.stack([middle(features["first"]), middle(features["second"])])
        flow = tf.ensure_shape(middle(features["flow"]), (height, width, 2))
        valid = tf.ensure_shape(middle(features["valid"]), (height, width))
        return frames, tf.where(valid[..., None], flow, 0.0), tf.cast(valid, tf.float32)

    def prepare(frames):
        frames = tf.cast(frames, tf.float32) / 127.5 - 1
        return tf.ensure_shape(frames, (2, height, width, 3))

    return Recipe(
        builder.name,
        FramePair(height, width),
        Flow(),
        read,
        prepare,
        usual_splits(builder, splits),
    )


def _start(flow, wanted, axis=0):
    have = tf.shape(flow)[axis]
    message = f"Frames must be at least {wanted} {('high', 'wide')[axis]}. Received: "
    enough = tf.debugging.Assert(have >= wanted, [tf.strings.format(message + "{} pixels", have)])
    with tf.control_dependencies([enough]):
        return (have - wanted) // 2
