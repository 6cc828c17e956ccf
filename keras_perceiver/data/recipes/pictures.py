"""Pictures, with one label or alone."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.inputs.image import Image
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.reconstruction import Reconstruction


def pictures(builder, *, size=None, splits=None):
    """Pictures in [0, 1], resized if `size` is given, and their class.

    Args:
        builder: A builder of TFDS with the features "image" and "label".
        size: Height and width of the model's images, one number or two. Required where the images
            of the data set differ in size.
        splits: As of `Recipe`, or the names that the data set has; see `usual_splits`.
    """
    label = builder.info.features["label"]
    shape, prepare = _resized(builder, size)

    def read(features):
        return features["image"], tf.cast(features["label"], tf.int32)

    return Recipe(
        builder.name,
        shape,
        Classes(label.num_classes),
        read,
        prepare,
        usual_splits(builder, splits),
        tuple(label.names),
    )


def unlabelled(builder, *, size=None, splits=None):
    """Pictures in [0, 1], resized if `size` is given; the targets are the pictures themselves."""
    shape, prepare = _resized(builder, size)

    def read(features):
        return features["image"], prepare(features["image"])

    return Recipe(
        builder.name,
        {"image": Image(*shape)},
        {"image": Reconstruction("image")},
        read,
        prepare,
        usual_splits(builder, splits),
    )


def _resized(builder, size):
    """The shape of the model's pictures, and the function from pixels to these."""
    *given, channels = builder.info.features["image"].shape
    if size is None and None in given:
        raise ValueError(
            f"`size` must be given for {builder.name}, whose images differ in size, such as "
            "size=224. Received: size=None"
        )
    if size is not None:
        size = (size, size) if isinstance(size, int) else size
        given = arguments.sizes("size", size, rank=2)
    shape = (*given, channels)

    def prepare(pixels):
        pixels = tf.cast(pixels, tf.float32) / 255
        if size is not None:
            pixels = tf.image.resize(pixels, given, antialias=True)
        return tf.ensure_shape(pixels, shape)

    return shape, prepare


def imagenet(builder, *, size=224):
    """ImageNet, split as in the papers: the first 10,000 training images are for validation.

    Images are cropped to the middle 7/8 of their shorter side before they are resized to `size`.
    With a published model, give its own preparation: `load(..., prepare=model.preparation)`.
    """
    splits = {"train": "train[10000:]", "validation": "train[:10000]", "test": "validation"}
    recipe = pictures(builder, size=size, splits=splits)
    whole = recipe.prepare

    def prepare(pixels):
        side = tf.reduce_min(tf.shape(pixels)[:2]) * 7 // 8
        start = (tf.shape(pixels)[:2] - side) // 2
        return whole(pixels[start[0] :, start[1] :][:side, :side])

    return Recipe(**{**vars(recipe), "prepare": prepare})
