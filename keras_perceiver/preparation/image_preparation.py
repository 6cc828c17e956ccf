"""Images, as the published ImageNet models take them."""

import keras
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.image_pixels import decoded_image
from keras_perceiver.data.pixel_values import MEAN, STD, checked_pixels, middle, whole_levels
from keras_perceiver.preparation.class_probabilities import (
    check_class_names,
    most_probable,
    probabilities,
)
from keras_perceiver.preparation.file_bytes import each_file_bytes
from keras_perceiver.preparation.preparation import Preparation, pixels_or_bytes

_STARTS = {  # of the window, in an image of n rows
    "deepmind": lambda n, window: (n - window + 1) // 2,
    "huggingface": lambda n, window: (n - window) // 2,
}
_AXES = {3: "(height, width, 3)", 4: "(batch, height, width, 3)"}


@keras.saving.register_keras_serializable(package="keras_perceiver")
class ImagePreparation(Preparation):
    """Crops, resizes and normalises images, and names the classes that a model sees in them.

    The window in the middle of the image, 7/8 of its shorter side, is resized to the model's size.
    Colours are then standardised by the mean and standard deviation of ImageNet.

    Args:
        height, width: Size of the model's images.
        convention: How the window is placed and resized. "deepmind": as in the published training
            code, bicubic in floating point, without antialiasing and without limits, so that values
            can lie outside [0, 255]. "huggingface": as in the port, antialiased bicubic on 8-bit
            pixels, first along the width and then along the height. If the rows outside the window
            are odd in number, the window begins one row earlier; so do columns.
        crop_fraction: Side of the window, as a part of the shorter side; above 0 and at most 1.
        mean, std: Of red, green and blue, where colours are in [0, 1].
        class_names: List of strings, one for each class, or None.
        max_pixels: Encoded images with more pixels are refused before they are decoded.

    Call arguments:
        images: Pixel values from 0 to 255 (uint8, or other numbers) of shape `(height, width, 3)`
            or `(batch, height, width, 3)`, any height and width. Or the bytes of PNG or JPEG files,
            one string or a vector `(batch,)`; these may differ in size.

    Returns:
        Floats of shape `(height, width, 3)` or `(batch, height, width, 3)`, as `images`.

    Raises:
        ValueError: if an argument, a dtype or a shape is wrong.
        tf.errors.InvalidArgumentError: when run, if a value is not in [0, 255], or bytes are not
            a PNG or JPEG image, or one that is too large.

    Example:

    >>> prepare = kp.preparation.ImagePreparation(class_names=names)
    >>> logits = model.predict(prepare.from_file("cat.jpg"))
    >>> prepare.readable(logits, top=1)
    [[('tabby cat', 0.83)]]
    >>> kp.export.saved_model(model, "saved_models/cats", prepare={"image": prepare})

    Reference: Perceiver IO (arXiv 2107.14795), appendix A, and its published training code.
    """

    def __init__(
        self,
        height=224,
        width=224,
        convention="deepmind",
        crop_fraction=0.875,
        mean=MEAN,
        std=STD,
        class_names=None,
        max_pixels=2**26,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.height = arguments.whole_number("height", height)
        self.width = arguments.whole_number("width", width)
        self.convention = arguments.one_of("convention", convention, tuple(_STARTS))
        self.crop_fraction = arguments.number("crop_fraction", crop_fraction, above=0, at_most=1)
        self.mean = _of_colours("mean", mean)
        self.std = _of_colours("std", std, above=0)
        self.class_names = check_class_names(class_names)
        self.max_pixels = arguments.whole_number("max_pixels", max_pixels)

    def __call__(self, images):
        return super().__call__(pixels_or_bytes("images", images))

    def call(self, images):
        if images.dtype != tf.string:
            return self._prepared(images)
        if images.shape.rank == 0:
            return self._decoded(images)
        if images.shape.rank != 1:
            raise ValueError(
                "`images` must be one string or a vector of them, the bytes of PNG or JPEG files. "
                f"Received: strings of shape {images.shape}"
            )
        spec = tf.TensorSpec((self.height, self.width, 3), self.compute_dtype)
        return tf.map_fn(self._decoded, images, fn_output_signature=spec)

    def _decoded(self, encoded):
        return self._prepared(decoded_image(encoded, 3, self.max_pixels))

    def _prepared(self, images):
        images = checked_pixels("images", images, _AXES)
        size, is_deepmind = (self.height, self.width), self.convention == "deepmind"
        images = middle(images, size, self.crop_fraction, _STARTS[self.convention])
        if is_deepmind:
            images = tf.image.resize(images, size, "bicubic")
        else:
            images = whole_levels(tf.cast(images, tf.float32))
            for between in ((tf.shape(images)[-3], self.width), size):
                images = whole_levels(tf.image.resize(images, between, "bicubic", antialias=True))
        mean, std = (255.0 * tf.constant(value) for value in (self.mean, self.std))
        return tf.cast((images - mean) / std, self.compute_dtype)

    def from_file(self, path):
        """The model's images `(batch, height, width, 3)` from one PNG or JPEG file, or from a list.

        Raises:
            FileNotFoundError: if there is no such file.
        """
        return self(each_file_bytes("path", path))

    def of_bytes(self):
        return {"image": self}

    def readable(self, logits, top: int = 5):
        """The most probable classes of each image.

        Args:
            logits: The model's output `(batch, num_classes)`.
            top: How many classes.

        Returns:
            For each image, `[(name, probability)]`, the most probable first. Without `class_names`,
            a class is named by its index.

        Raises:
            ValueError: if `logits` have another shape or are not finite, or if the number of names
                is not the number of classes.
        """
        rows = probabilities("logits", logits)
        return [most_probable(row, self.class_names, top) for row in rows]

    def get_config(self):
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "convention": self.convention,
            "crop_fraction": self.crop_fraction,
            "mean": self.mean,
            "std": self.std,
            "class_names": self.class_names,
            "max_pixels": self.max_pixels,
        }


def _of_colours(name, value, **bounds):
    if not isinstance(value, (tuple, list)) or len(value) != 3:
        raise ValueError(
            f"`{name}` must be three numbers, of red, green and blue. Received: {name}={value!r}"
        )
    return tuple(arguments.number(f"{name}[{i}]", one, **bounds) for i, one in enumerate(value))
