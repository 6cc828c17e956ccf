"""Pixels as numbers from 0 to 255, and the middle of an image."""

import tensorflow as tf

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet; colours in [0, 1]


def checked_pixels(name, images, axes):
    """`images` as uint8 or float32, with an error if they are not numbers from 0 to 255.

    Args:
        name: Of the argument, for errors.
        images: Tensor.
        axes: {number of axes that are allowed: their names}; the last one is colour.

    Raises:
        ValueError: if the dtype or the shape is wrong.
        tf.errors.InvalidArgumentError: when run, if a value is not in [0, 255], or there is no
            pixel.
    """
    wanted = f"`{name}` must be numbers from 0 to 255 of shape {' or '.join(axes.values())}"
    if not (images.dtype.is_floating or images.dtype.is_integer):
        raise ValueError(f"{wanted}. Received: {name} of dtype {images.dtype.name}")
    if images.shape.rank not in axes or images.shape[-1] not in (3, None):
        raise ValueError(f"{wanted}. Received: {name} of shape {images.shape}")
    size = tf.shape(images)[-3:]
    message = f"`{name}` must have at least one pixel and 3 colours. Received: size and colours "
    good = (tf.reduce_min(size) > 0) & tf.equal(size[-1], 3)
    checks = [tf.debugging.Assert(good, [message, size])]
    if images.dtype != tf.uint8:
        images = tf.cast(images, tf.float32)
        inside = tf.reduce_all((images >= 0) & (images <= 255))  # False if one is NaN
        message = f"`{name}` must be pixel values from 0 to 255. Received: values from and to "
        limits = [tf.reduce_min(images), tf.reduce_max(images)]
        checks.append(tf.debugging.Assert(inside, [message, *limits]))
    with tf.control_dependencies(checks):
        return tf.ensure_shape(images, (*images.shape[:-1], 3))


def middle(images, shape, fraction, start):
    """The largest window in the middle of images whose sides are in the ratio of `shape`.

    Args:
        images: Tensor `(..., height, width, channels)`.
        shape: Two numbers; equal ones give a square window.
        fraction: The sides are multiplied by this, and rounded down.
        start: Function of a side of the image and one of the window: where the window begins.

    Returns:
        Tensor `(..., rows, columns, channels)`.
    """
    sides = tf.shape(images)[-3], tf.shape(images)[-2]
    height, width = (tf.cast(side, tf.float64) for side in sides)
    most = (
        tf.minimum(height, width * (shape[0] / shape[1])),
        tf.minimum(width, height * (shape[1] / shape[0])),
    )
    kept = [  # 1e-6: 0.57 * 100 is less than 57
        tf.maximum(tf.cast(tf.floor(fraction * side + 1e-6), tf.int32), 1) for side in most
    ]
    top, left = (start(side, keep) for side, keep in zip(sides, kept))
    return images[..., top : top + kept[0], left : left + kept[1], :]


def whole_levels(images):
    """Values rounded to the nearest whole number from 0 to 255, as 8-bit pixels have them."""
    return tf.clip_by_value(tf.floor(images + 0.5), 0.0, 255.0)
