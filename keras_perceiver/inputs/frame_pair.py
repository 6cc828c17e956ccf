"""Two frames, for optical flow."""

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.inputs.image_stem import NORMS, ImageStem
from keras_perceiver.layers.initializers import plain_linear_init
from keras_perceiver.layers.part_cost import PartCost, dense

STEMS = ("neighbourhoods", "conv")


@keras.saving.register_keras_serializable(package="keras_perceiver")
class FramePair(GridInput):
    """Two frames as one grid, with the channels of both frames side by side.

    Args:
        height, width, channels: Size of a frame.
        neighbourhood: For stem "neighbourhoods", side of the square of pixels around each pixel, an
            odd number; the image is padded with zeros.
        stem_channels: Width of the features of each cell.
        stem: What is applied to the pixels before positions are added. "neighbourhoods": a dense
            layer on each pixel's neighbourhood in both frames. "conv": the stem of `Image` on both
            frames' channels: for each factor 4 of `patch_size`, a 7x7 convolution of stride 2,
            normalisation, ReLU and 3x3 max-pooling of stride 2.
        patch_size: The factor by which stem "conv" reduces the grid, a power of 4; 1 for
            "neighbourhoods". Default: 4 for "conv".
        positions, combine, num_bands, max_resolution, concat_pos, sine_only, position_dim,
        position_stddev, project_positions, symmetric_padding, stem_norm, normalize, masked,
        may_be_missing: As in `Image`. Positions are those of the grid after the stem.

    Call arguments:
        inputs: Floats in [-1, 1] of shape `(batch, 2, height, width, channels)`.

    Returns:
        Array of shape `(batch, num_inputs, input_dim)`, with an input for each pixel, or for each
        cell after stem "conv".

    Raises:
        ValueError: if `neighbourhood` is even, or an argument is out of range.

    Example (the published model: 182,528 inputs of width 64 + 258; and the variant with a
    convolution: 11,408 inputs of the same width):

    >>> FramePair(368, 496)
    >>> FramePair(368, 496, stem="conv", num_bands=64)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.2 and appendix H. That the convolution is
    followed by batch normalisation, as in appendix A, is an assumption.
    """

    kind = "frames"

    def __init__(
        self,
        height,
        width,
        channels=3,
        neighbourhood=3,
        stem_channels=64,
        stem="neighbourhoods",
        patch_size=None,
        symmetric_padding=False,
        stem_norm="batch",
        **kwargs,
    ):
        for name in ("height", "width", "channels"):
            arguments.optional_whole_number(name, locals()[name])
        super().__init__((2, height, width, channels), **kwargs)
        self.neighbourhood = arguments.whole_number("neighbourhood", neighbourhood)
        if neighbourhood % 2 == 0:
            raise ValueError(
                f"`neighbourhood` must be odd. Received: neighbourhood={neighbourhood}"
            )
        self.stem_channels = arguments.whole_number("stem_channels", stem_channels)
        self.stem_name = arguments.one_of("stem", stem, STEMS)
        if patch_size is None:
            patch_size = 4 if stem == "conv" else 1
        if isinstance(patch_size, (int, np.integer)):
            patch_size = (patch_size, patch_size)
        self.patch_size = arguments.sizes("patch_size", patch_size, rank=2)
        self.symmetric_padding = arguments.flag("symmetric_padding", symmetric_padding)
        self.stem_norm = arguments.one_of("stem_norm", stem_norm, NORMS)
        self.stem_layer = None
        if stem == "conv":
            self.stem_layer = ImageStem(
                "conv",
                self.patch_size,
                self.stem_channels,
                self.symmetric_padding,
                self.stem_norm,
                dtype=self.dtype_policy,
                name="stem",
            )
        elif self.patch_size != (1, 1):
            raise ValueError(
                "`patch_size` must be 1 for stem='neighbourhoods', which has an input for each "
                f"pixel. Received: patch_size={self.patch_size}"
            )

    def _side_by_side(self, shape=None):
        """The shape of an example with the channels of both frames side by side."""
        _, height, width, channels = shape or self.shape
        return height, width, 2 * channels

    def stem_shape(self, shape=None):
        height, width, channels = self._side_by_side(shape)
        if self.stem_layer is not None:
            return self.stem_layer.out_shape((height, width, channels))
        return height, width, self.stem_channels

    def build_stem(self):
        if self.stem_layer is not None:
            self.stem_layer.build((None, *self._side_by_side()))
            return
        self.projection_in = keras.layers.Dense(
            self.stem_channels,
            kernel_initializer=plain_linear_init(),
            dtype=self.dtype_policy,
            name="projection",
        )
        self.projection_in.build((None, 2 * self.neighbourhood**2 * self.shape[-1]))

    def stem(self, inputs, training=None, repeated=False):
        if self.stem_layer is not None:
            frames = ops.concatenate([inputs[:, 0], inputs[:, 1]], axis=-1)
            return self.stem_layer(frames, training=training, repeated=repeated)
        _, height, width, _ = self.shape
        size, margin = self.neighbourhood, self.neighbourhood // 2
        padded = ops.pad(inputs, ((0, 0), (0, 0), (margin, margin), (margin, margin), (0, 0)))
        shifted = [  # channels: frame, row, column, colour
            padded[:, frame, row : row + height, column : column + width]
            for frame in range(2)
            for row in range(size)
            for column in range(size)
        ]
        return self.projection_in(ops.concatenate(shifted, axis=-1))

    def stem_cost(self):
        if self.stem_layer is not None:
            return self.stem_layer.cost(self._side_by_side())
        width = 2 * self.neighbourhood**2 * self.shape[-1]
        neighbours = PartCost(kept=self.num_inputs * width)
        return neighbours + dense(self.num_inputs, width, self.stem_channels)

    def get_config(self):
        config = super().get_config()
        del config["shape"]
        return {
            **config,
            "height": self.shape[1],
            "width": self.shape[2],
            "channels": self.shape[3],
            "neighbourhood": self.neighbourhood,
            "stem_channels": self.stem_channels,
            "stem": self.stem_name,
            "patch_size": self.patch_size,
            "symmetric_padding": self.symmetric_padding,
            "stem_norm": self.stem_norm,
        }
