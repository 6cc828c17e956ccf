"""Decodes images to pixels, in the same way in tf.data and in served models."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.data.jpeg_scans import MOST_SCANS, MOST_SEGMENTS, few_scans

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def image_pixels(
    encoded,
    height: int,
    width: int,
    channels: int = 3,
    low: float = 0.0,
    high: float = 1.0,
    max_pixels: int = 2**26,
):
    """Decodes one PNG or JPEG image to pixels of a fixed size and range.

    Images of another size are resized to this size (bilinear, antialiased), without keeping the
    aspect ratio.

    Args:
        encoded: String scalar: the bytes of the file.
        height, width: Size of the result.
        channels: 1 (grey), 3 (red, green, blue) or 4 (with alpha, PNG only).
        low, high: Values of the result for the pixel values 0 and 255.
        max_pixels: Larger images are refused before they are decoded, because a small file can
            decode to an image that fills the memory. JPEG files with more than 64 scans are refused
            too, because decoding them can take minutes. The scans of an embedded thumbnail do not
            count.

    Returns:
        float32 tensor of shape `(height, width, channels)`.

    Raises:
        ValueError: if an argument is out of range.
        tf.errors.InvalidArgumentError: when run, if the bytes are not a PNG or JPEG image, are
            damaged, or hold too large an image.

    Example:

    >>> files = tf.data.Dataset.list_files("cats/*.jpg")
    >>> images = files.map(lambda f: kp.data.image_pixels(tf.io.read_file(f), 64, 64))
    """
    arguments.whole_number("height", height)
    arguments.whole_number("width", width)
    arguments.one_of("channels", channels, (1, 3, 4))
    arguments.number("low", low)
    arguments.number("high", high, above=low)
    arguments.whole_number("max_pixels", max_pixels)
    image = decoded_image(encoded, channels, max_pixels)
    image = tf.image.resize(tf.cast(image, tf.float32), (height, width), antialias=True)
    return image / 255.0 * (high - low) + low


def decoded_image(encoded, channels=3, max_pixels=2**26):
    """The pixels of one PNG or JPEG image in its own size, uint8 `(height, width, channels)`.

    The arguments, and what is refused before it is decoded, are as in `image_pixels`.
    """
    encoded = tensor_checks.tensor("encoded", encoded, "one string, the bytes of an image")
    if encoded.dtype != tf.string or encoded.shape.rank not in (0, None):
        raise ValueError(
            "`encoded` must be one string, the bytes of an image. Received: dtype "
            f"{encoded.dtype.name}, shape {encoded.shape}"
        )
    pixels = number_of_pixels(encoded)
    small = tf.debugging.Assert(
        (pixels > 0) & (pixels <= max_pixels),
        [tf.strings.format(f"An image must have 1 to {max_pixels} pixels. Received: {{}}", pixels)],
    )
    with tf.control_dependencies([small]):
        encoded = tf.identity(encoded)
    image = tf.io.decode_image(encoded, channels=channels, expand_animations=False)
    return tf.ensure_shape(image, (None, None, channels))


def number_of_pixels(encoded, name="An image"):
    """The number of pixels in the header of one PNG or JPEG file, without decoding it.

    The graph raises an error that begins with `name` if the bytes are not a PNG or JPEG file, if
    the header is cut off, or if a JPEG has more than 64 scans or 1,024 other segments; see
    `few_scans`.
    """
    start = tf.strings.substr(tf.strings.join([encoded, " " * len(_PNG)]), 0, len(_PNG))
    is_png, is_jpeg = tf.equal(start, _PNG), tf.equal(tf.strings.substr(start, 0, 3), _JPEG)
    whole = is_jpeg | (is_png & (tf.strings.length(encoded) >= 24))
    known = tf.debugging.Assert(whole, [f"{name} must be the bytes of a PNG or JPEG file."])
    with tf.control_dependencies([known]):
        encoded = tf.identity(encoded)
    return tf.cond(is_png, lambda: _png_pixels(encoded), lambda: _jpeg_pixels(encoded, name))


def _png_pixels(encoded):
    """Pixels in the header, where width and height are four bytes each, big-endian."""
    size = tf.cast(tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.uint8), tf.int64)
    size = tf.reduce_sum(tf.reshape(size, (2, 4)) * [2**24, 2**16, 2**8, 1], axis=1)
    return _product(size)


def _jpeg_pixels(encoded, name):
    message = f"{name} must be a JPEG file of at most {MOST_SCANS} scans and {MOST_SEGMENTS} other "
    few = tf.debugging.Assert(few_scans(encoded), [f"{message}segments."])
    with tf.control_dependencies([few]):
        encoded = tf.identity(encoded)
    return _product(tf.cast(tf.image.extract_jpeg_shape(encoded)[:2], tf.int64))


def _product(size):
    return tf.reduce_prod(tf.minimum(size, 2**31))  # cannot overflow
