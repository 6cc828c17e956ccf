"""What RandAugment does to colours: functions of one uint8 image `(height, width, 3)`.

They compute what the functions of the same names in Pillow's `ImageOps` and `ImageEnhance` do.
"""

import tensorflow as tf


def auto_contrast(image):
    """Stretches each colour to the values from 0 to 255."""
    extremes = (reduce(image, axis=(0, 1)) for reduce in (tf.reduce_min, tf.reduce_max))
    low, high = (tf.cast(value, tf.float64)[:, None] for value in extremes)  # (3, 1)
    scale = 255.0 / tf.where(high > low, high - low, 1.0)
    values = tf.range(256, dtype=tf.float64)
    stretched = tf.clip_by_value(values * scale + -low * scale, 0.0, 255.0)
    return _looked_up(tf.where(high > low, stretched, values), _places(image))


def equalize(image):
    """Makes all values of each colour about equally frequent."""
    places = _places(image)
    counts = tf.math.bincount(tf.reshape(places, (-1,)), minlength=768, maxlength=768)
    counts = tf.reshape(counts, (3, 256))
    highest = tf.cast(tf.reduce_max(image, axis=(0, 1)), tf.int32)[:, None]
    total = tf.reduce_sum(counts, axis=1, keepdims=True)
    step = (total - tf.gather(counts, highest, batch_dims=1)) // 255
    safe = tf.maximum(step, 1)
    table = (tf.cumsum(counts, axis=1, exclusive=True) + safe // 2) // safe
    return _looked_up(tf.where(step > 0, tf.minimum(table, 255), tf.range(256)), places)


def _places(image):
    """Where the values of each pixel are in a table of 3 colours by 256 values."""
    return tf.cast(image, tf.int32) + tf.constant([0, 256, 512])


def _looked_up(table, places):
    return tf.gather(tf.reshape(tf.cast(table, tf.uint8), (-1,)), places)


def invert(image):
    return 255 - image


def posterize(image, bits):
    """Keeps the highest `bits` bits of each value."""
    return tf.bitwise.bitwise_and(image, tf.constant(256 - 2 ** (8 - bits), tf.uint8))


def solarize(image, threshold):
    """Inverts all values from `threshold` on."""
    return tf.where(tf.cast(image, tf.int32) < threshold, image, 255 - image)


def solarize_add(image, addition):
    """Adds to all values below 128."""
    added = tf.minimum(tf.cast(image, tf.int32) + addition, 255)
    return tf.where(image < 128, tf.cast(added, tf.uint8), image)


def color(image, factor):
    """From grey (0) to the image (1) and beyond."""
    return _blend(_grey(image), image, factor)


def contrast(image, factor):
    """From the mean grey (0) to the image (1) and beyond."""
    mean = tf.reduce_mean(tf.cast(_grey(image), tf.float64))
    return _blend(tf.floor(mean + 0.5), image, factor)


def brightness(image, factor):
    """From black (0) to the image (1) and beyond."""
    return _blend(0.0, image, factor)


def sharpness(image, factor):
    """From a smoothed image (0) to the image (1) and beyond; pixels at the edges stay."""
    kernel = tf.constant([[1, 1, 1], [1, 5, 1], [1, 1, 1]], tf.float32)
    kernel = tf.tile(kernel[:, :, None, None], (1, 1, 3, 1))
    values = tf.cast(image, tf.float32)[None]
    smooth = tf.nn.depthwise_conv2d(values, kernel, (1, 1, 1, 1), "SAME")[0]
    smooth = tf.floor(smooth / 13.0 + 0.5)
    height, width = tf.unstack(tf.shape(image)[:2])
    row, column = tf.range(height)[:, None, None], tf.range(width)[:, None]
    inside = (row > 0) & (row < height - 1) & (column > 0) & (column < width - 1)
    return _blend(tf.where(inside, smooth, values[0]), image, factor)


def _grey(image):
    """Brightness of each pixel, int32 `(height, width, 1)`, from weights in 1/65,536."""
    weights = tf.constant([19595, 38470, 7471])
    weighted = tf.reduce_sum(tf.cast(image, tf.int32) * weights, axis=-1, keepdims=True)
    return tf.bitwise.right_shift(weighted + 2**15, 16)


def _blend(degenerate, image, factor):
    if factor == 1:
        return image
    start = tf.cast(degenerate, tf.float32)
    values = start + factor * (tf.cast(image, tf.float32) - start)
    return tf.cast(tf.clip_by_value(values, 0.0, 255.0), tf.uint8)
