"""Augmentation: windows of random area and shape."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.data.pixel_values import checked_pixels, middle

_AXES = {3: "(height, width, 3)", 4: "(batch, height, width, 3)"}
_WINDOW = 0.875  # of the shorter side, where no random window was found
_ATTEMPTS = 10


def random_area_crop(
    images,
    seed,
    height: int,
    width: int,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
):
    """Cuts a random window out of each image, and resizes it (bicubic, without antialiasing).

    The shape of a window, width by height, is drawn uniformly from `aspect`, its part of the image
    from `area`, and its place from all where it fits. If this fails ten times, or gives the whole
    image, the square in the middle is taken, 7/8 of the shorter side. Windows below a tenth of the
    image are drawn again, too: the published code asks for a tenth as well as for the limits above.

    `keras.layers.RandomCrop` cuts windows of one size, the same for all images of a batch.

    Args:
        images: Pixel values from 0 to 255 (uint8, or other numbers) of shape `(height, width, 3)`
            or `(batch, height, width, 3)`, any size.
        seed: Integer tensor of shape `(2,)`; the same seed gives the same windows.
        height, width: Size of the result.
        area: Smallest and largest part of the image that a window covers, above 0 and at most 1.
        aspect: Smallest and largest ratio of a window's width to its height.

    Returns:
        Floats of shape `(height, width, 3)` or `(batch, height, width, 3)`. Values can lie outside
        [0, 255], as bicubic interpolation gives them.

    Raises:
        ValueError: if an argument, the dtype or the shape is wrong.
        tf.errors.InvalidArgumentError: when run, if a value is not in [0, 255].

    Example:

    >>> crop = lambda images, seed: kp.data.random_area_crop(images, seed, 24, 24)
    >>> train = kp.data.from_arrays(images, labels, 32, augment=crop)

    Reference: Perceiver IO (arXiv 2107.14795), appendix A, and its published training code.
    """
    arguments.whole_number("height", height)
    arguments.whole_number("width", width)
    area, aspect = _range("area", area, at_most=1), _range("aspect", aspect)
    images = tensor_checks.tensor("images", images, "pixel values")
    seed = tensor_checks.pair("seed", seed)
    pixels = checked_pixels("images", images, _AXES)

    def cut(image, seed):
        window = random_window(image, seed, area, aspect)
        return tf.image.resize(window, (height, width), "bicubic")

    if pixels.shape.rank == 3:
        return cut(pixels, seed)
    seeds = tf.random.experimental.stateless_split(seed, tf.shape(pixels)[0])
    spec = tf.TensorSpec((height, width, 3), tf.float32)
    return tf.map_fn(lambda one: cut(*one), (pixels, seeds), fn_output_signature=spec)


def random_window(image, seed, area=(0.08, 1.0), aspect=(3 / 4, 4 / 3)):
    """A random window of one image `(height, width, 3)`, in its own size."""
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        tf.shape(image),
        tf.constant([[[0.0, 0.0, 1.0, 1.0]]]),
        seed,
        min_object_covered=0.1,
        aspect_ratio_range=aspect,
        area_range=area,
        max_attempts=_ATTEMPTS,
    )
    is_whole = tf.reduce_all(tf.equal(size[:2], tf.shape(image)[:2]))
    return tf.cond(
        is_whole,
        lambda: middle(image, (1, 1), _WINDOW, lambda n, window: (n - window + 1) // 2),
        lambda: tf.slice(image, begin, tf.concat([size[:2], [3]], axis=0)),
    )


def _range(name, value, **bounds):
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(
            f"`{name}` must be two numbers, smallest and largest. Received: {name}={value!r}"
        )
    low = arguments.number(f"{name}[0]", value[0], above=0, **bounds)
    return low, arguments.number(f"{name}[1]", value[1], at_least=low, **bounds)
