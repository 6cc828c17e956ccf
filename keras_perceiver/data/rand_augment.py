"""Augmentation: random changes of colours and places."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import colour_operations as colours
from keras_perceiver.data import moving_operations as places
from keras_perceiver.data import tensor_checks
from keras_perceiver.data.pixel_values import checked_pixels, whole_levels

_AXES = {3: "(height, width, 3)", 4: "(batch, height, width, 3)"}


def rand_augment(images, seed, num_layers: int = 4, magnitude: float = 5.0):
    """Applies random operations of RandAugment to each image, one after another.

    Each is drawn from 16, all equally probable: auto contrast, equalize, invert, rotate (by 3
    degrees times the magnitude m), posterize (to int(0.4 m) bits), solarize (from int(25.6 m) on),
    color, contrast, brightness and sharpness (factor 0.18 m + 0.1), shear along either axis
    (0.03 m), translate along either axis (10 m pixels), cutout (a square with sides of 2 int(4 m)
    pixels) and solarize-add (int(11 m)). Directions are random, and places from outside the image
    are grey (128). At the paper's magnitude, 5, the four factors are 1, so that these operations
    change nothing.

    `keras.layers.RandAugment` does something else: it has 11 operations, draws magnitudes from 0 to
    the given one, and applies the same operations to all images of a batch. Keras' single layers
    keep their random state in variables, so that results depend on what was drawn before.

    Args:
        images: Pixel values from 0 to 255 (uint8, or other numbers, which are rounded) of shape
            `(height, width, 3)` or `(batch, height, width, 3)`, any size.
        seed: Integer tensor of shape `(2,)`; the same seed gives the same result.
        num_layers: How many operations.
        magnitude: From 0 to 10.

    Returns:
        Tensor of the shape and dtype of `images`, with whole numbers from 0 to 255.

    Raises:
        ValueError: if an argument, the dtype or the shape is wrong.
        tf.errors.InvalidArgumentError: when run, if a value is not in [0, 255].

    Example:

    >>> train = kp.data.from_arrays(images, labels, 32, augment=kp.data.rand_augment)

    Reference: RandAugment (arXiv 1909.13719); Perceiver IO (arXiv 2107.14795), appendix A, and its
    published training code, but for contrast, whose grey is the mean as in Pillow, not a constant.
    """
    arguments.whole_number("num_layers", num_layers, at_least=0)
    arguments.number("magnitude", magnitude, at_least=0, at_most=10)
    images = tensor_checks.tensor("images", images, "pixel values")
    seed = tensor_checks.pair("seed", seed)
    pixels = checked_pixels("images", images, _AXES)
    if pixels.dtype != tf.uint8:
        pixels = tf.cast(whole_levels(pixels), tf.uint8)
    if pixels.shape.rank == 3:
        changed = rand_augmented(pixels, seed, num_layers, magnitude)
    else:
        seeds = tf.random.experimental.stateless_split(seed, tf.shape(pixels)[0])
        changed = tf.map_fn(
            lambda one: rand_augmented(*one, num_layers, magnitude),
            (pixels, seeds),
            fn_output_signature=tf.TensorSpec(pixels.shape[1:], tf.uint8),
        )
    return tf.cast(tf.ensure_shape(changed, images.shape), images.dtype)


def rand_augmented(image, seed, num_layers, magnitude):
    """The same for one uint8 image `(height, width, 3)`, without checks."""

    def change(image, seed):
        which, sign, place = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
        operations = _operations(image, magnitude, sign, place)
        which = tf.random.stateless_uniform((), which, 0, len(operations), tf.int32)
        return tf.switch_case(which, operations)

    seeds = tf.random.experimental.stateless_split(seed, num_layers)
    image = tf.foldl(change, seeds, image) if num_layers else image
    return image


def _operations(image, magnitude, sign_seed, place_seed):
    """A function without arguments for each operation."""
    share = magnitude / 10
    factor = 1.8 * share + 0.1

    def either_way(value):
        draw = tf.random.stateless_uniform((), sign_seed)
        return tf.where(draw < 0.5, -value, value)

    return [
        lambda: colours.auto_contrast(image),
        lambda: colours.equalize(image),
        lambda: colours.invert(image),
        lambda: places.rotate(image, either_way(30.0 * share)),
        lambda: colours.posterize(image, int(4 * share)),
        lambda: colours.solarize(image, int(256 * share)),
        lambda: colours.color(image, factor),
        lambda: colours.contrast(image, factor),
        lambda: colours.brightness(image, factor),
        lambda: colours.sharpness(image, factor),
        lambda: places.shear_x(image, either_way(0.3 * share)),
        lambda: places.shear_y(image, either_way(0.3 * share)),
        lambda: places.translate_x(image, either_way(100.0 * share)),
        lambda: places.translate_y(image, either_way(100.0 * share)),
        lambda: places.cutout(image, int(40 * share), place_seed),
        lambda: colours.solarize_add(image, int(110 * share)),
    ]
