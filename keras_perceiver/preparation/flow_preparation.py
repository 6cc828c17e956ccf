"""Two images of any size, as the published model of optical flow takes them."""

import keras
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.image_pixels import decoded_image
from keras_perceiver.data.pixel_values import checked_pixels
from keras_perceiver.models.flow_tiles import cut_tiles, join_tiles, tile_starts
from keras_perceiver.preparation.file_bytes import file_bytes
from keras_perceiver.preparation.flow_picture import flow_picture
from keras_perceiver.preparation.preparation import Preparation, pixels_or_bytes

_AXES = {3: "(height, width, 3)", 4: "(batch, height, width, 3)"}


@keras.saving.register_keras_serializable(package="keras_perceiver")
class FlowPreparation(Preparation):
    """Divides two images into tiles for a model of optical flow, and joins the flow of the tiles.

    Colours are mapped to [-1, 1]. The 3x3 neighbourhoods of pixels are formed by the model itself;
    see `FramePair`.

    Args:
        height, width: Size of the model's frames, which is that of a tile.
        min_overlap: Smallest overlap of neighbouring tiles, in pixels.
        max_pixels: Encoded images with more pixels are refused before they are decoded.

    Call arguments:
        first, second: Pixel values from 0 to 255 (uint8, or other numbers) of shape
            `(height, width, 3)` or `(batch, height, width, 3)`, at least as large as a tile. Or the
            bytes of a PNG or JPEG file each, one string.

    Returns:
        Floats in [-1, 1] of shape `(batch * num_tiles, 2, height, width, 3)`. An image of the size
        of a tile is one tile.

    Raises:
        ValueError: if an argument, a dtype or a shape is wrong.
        tf.errors.InvalidArgumentError: when run, if images are smaller than a tile or differ in
            size, or if a value is not in [0, 255].

    Example:

    >>> prepare = kp.preparation.FlowPreparation()
    >>> flows = model.predict(prepare(frame_0, frame_1), batch_size=1)
    >>> (answer,) = prepare.readable(flows, size=frame_0.shape[:2])
    >>> answer["flow"], answer["picture"]

    Reference: Perceiver IO (arXiv 2107.14795), appendix H (tiled evaluation on Sintel).
    """

    def __init__(self, height=368, width=496, min_overlap=20, max_pixels=2**26, **kwargs):
        super().__init__(**kwargs)
        self.height = arguments.whole_number("height", height)
        self.width = arguments.whole_number("width", width)
        self.min_overlap = arguments.whole_number("min_overlap", min_overlap, at_least=0)
        self.max_pixels = arguments.whole_number("max_pixels", max_pixels)
        if min_overlap >= min(height, width):
            raise ValueError(
                f"`min_overlap` must be less than {min(height, width)}, the smaller of `height` "
                f"and `width`. Received: min_overlap={min_overlap}"
            )

    @property
    def tile(self):
        return self.height, self.width

    def __call__(self, first, second):
        return super().__call__(pixels_or_bytes("first", first), pixels_or_bytes("second", second))

    def call(self, first, second):
        first, second = self._pixels("first", first), self._pixels("second", second)
        if not first.shape.is_compatible_with(second.shape):
            raise ValueError(
                f"`second` must have the shape of `first`, {first.shape}. Received: {second.shape}"
            )
        if first.shape.rank == 3:
            first, second = first[None], second[None]
        self._check_known_size(first.shape[1:3])
        shape, other = tf.shape(first), tf.shape(second)
        checks = [
            tf.debugging.Assert(
                tf.reduce_all(shape == other),
                ["`second` must have the shape of `first`. Received: shapes ", shape, other],
            ),
            tf.debugging.Assert(
                tf.reduce_all(shape[1:3] >= self.tile),
                [f"`first` must be at least as large as a tile, {self.tile}. Received: ", shape],
            ),
        ]
        with tf.control_dependencies(checks):
            frames = tf.stack([first, second], axis=1)
        frames = tf.cast(frames, tf.float32) / 255.0 * 2.0 - 1.0
        starts = self._starts((shape[1], shape[2]))
        return tf.cast(cut_tiles(frames, starts, self.tile), self.compute_dtype)

    def _pixels(self, name, image):
        if image.dtype == tf.string:
            image = decoded_image(image, 3, self.max_pixels)
        return tf.cast(checked_pixels(name, image, _AXES), tf.float32)

    def _check_known_size(self, size):
        if any(n is not None and n < least for n, least in zip(size, self.tile)):
            raise ValueError(
                f"`first` must be at least as large as a tile, {self.tile}. Received: size {size}"
            )

    def _starts(self, size):
        return [tile_starts(size[i], self.tile[i], self.min_overlap) for i in range(2)]

    def join(self, flows, size):
        """The flow of whole images from that of their tiles.

        Tiles are averaged with weights that decrease towards their edges. This works in a
        `tf.function`, too.

        Args:
            flows: The model's output `(batch * num_tiles, height, width, 2)`.
            size: Height and width of the images, two whole numbers or a tensor of them.

        Returns:
            float32 tensor `(batch, *size, 2)`.
        """
        return join_tiles(flows, self._starts(size), size)

    def from_file(self, first, second):
        """The model's frames from two PNG or JPEG files.

        Raises:
            FileNotFoundError: if there is no such file.
        """
        return self(file_bytes("first", first), file_bytes("second", second))

    def readable(self, flows, size=None, max_length: float | None = None):
        """The flow of each image in pixels, and as a picture.

        Args:
            flows: The model's output `(batch * num_tiles, height, width, 2)`.
            size: Height and width of the images. Default: those of a tile.
            max_length: The length that is drawn in full colour; see `flow_picture`.

        Returns:
            For each pair of images a dict: "flow", NumPy floats `(height, width, 2)`, the
            displacement of each pixel of the first image to the right and down, in pixels; and
            "picture", uint8 `(height, width, 3)`.

        Raises:
            ValueError: if a shape is wrong, or `flows` are not finite.
        """
        size = self.tile if size is None else arguments.sizes("size", _listed(size), rank=2)
        if any(n < least for n, least in zip(size, self.tile)):
            raise ValueError(
                f"`size` must be at least that of a tile, {self.tile}. Received: size={size}"
            )
        flows = arguments.floats("flows", flows)
        arguments.finite("flows", flows)
        rows, columns = (len(starts) for starts in self._starts(size))
        tiles = rows * columns
        if flows.shape[1:] != (*self.tile, 2) or len(flows) % tiles:
            raise ValueError(
                f"`flows` must have shape (batch * {tiles}, {self.height}, {self.width}, 2), for "
                f"{tiles} tiles of each image of size {size}. Received: shape {flows.shape}"
            )
        whole = keras.ops.convert_to_numpy(self.join(flows, size))
        return [{"flow": flow, "picture": flow_picture(flow, max_length)} for flow in whole]

    def get_config(self):
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "min_overlap": self.min_overlap,
            "max_pixels": self.max_pixels,
        }


def _listed(size):
    return tuple(size) if hasattr(size, "__iter__") and not isinstance(size, (str, dict)) else size
