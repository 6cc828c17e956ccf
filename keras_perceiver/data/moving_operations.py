"""What RandAugment does to places: functions of one uint8 image `(height, width, 3)`.

Each pixel of the result is the nearest pixel of the image, or grey where there is none.
"""

import math

import tensorflow as tf

GREY = 128


def rotate(image, degrees):
    """Rotates about the centre."""
    height, width = (tf.cast(size, tf.float32) for size in tf.unstack(tf.shape(image)[:2]))
    x, y = (width - 1) / 2, (height - 1) / 2
    cosine, sine = (function(degrees * (math.pi / 180)) for function in (tf.cos, tf.sin))
    right, down = x - cosine * x + sine * y, y - sine * x - cosine * y
    return _transformed(image, [cosine, -sine, right, sine, cosine, down])


def shear_x(image, slope):
    """Moves each row by `slope` times its number."""
    return _transformed(image, [1.0, slope, 0.0, 0.0, 1.0, 0.0])


def shear_y(image, slope):
    return _transformed(image, [1.0, 0.0, 0.0, slope, 1.0, 0.0])


def translate_x(image, pixels):
    return _transformed(image, [1.0, 0.0, pixels, 0.0, 1.0, 0.0])


def translate_y(image, pixels):
    return _transformed(image, [1.0, 0.0, 0.0, 0.0, 1.0, pixels])


def cutout(image, half_side, seed):
    """Makes a square grey whose centre is any pixel; what is outside the image is cut off."""
    size = tf.shape(image)[:2]
    centre = tf.cast(tf.random.stateless_uniform((2,), seed) * tf.cast(size, tf.float32), tf.int32)
    row = tf.range(size[0])[:, None, None] - centre[0]
    column = tf.range(size[1])[:, None] - centre[1]
    inside = (row >= -half_side) & (row < half_side)
    inside &= (column >= -half_side) & (column < half_side)
    return tf.where(inside, tf.cast(GREY, image.dtype), image)


def _transformed(image, matrix):
    """Pixel (x, y) of the result is (a x + b y + c, d x + e y + f) of `image`."""
    transform = tf.stack([*(tf.cast(one, tf.float32) for one in matrix), 0.0, 0.0])
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=transform[None],
        output_shape=tf.shape(image)[:2],
        fill_value=float(GREY),
        interpolation="NEAREST",
        fill_mode="CONSTANT",
    )
    return tf.ensure_shape(moved[0], image.shape)
