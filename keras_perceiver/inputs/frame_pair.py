"""Two frames, for optical flow."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.layers.initializers import plain_linear_init
from keras_perceiver.layers.part_cost import PartCost, dense


@keras.saving.register_keras_serializable(package="keras_perceiver")
class FramePair(GridInput):
    """Two frames as one grid: a dense layer on each pixel's neighbourhood in both frames.

    Args:
        height, width, channels: Size of a frame.
        neighbourhood: Side of the square of pixels around each pixel, an odd number; the image is
            padded with zeros.
        stem_channels: Width of the features of each pixel.
        positions, combine, num_bands, max_resolution, concat_pos, sine_only, position_dim,
        position_stddev, project_positions, normalize, masked, may_be_missing: As in `Image`.

    Call arguments:
        inputs: Floats in [-1, 1] of shape `(batch, 2, height, width, channels)`.

    Returns:
        Array of shape `(batch, height * width, input_dim)`.

    Raises:
        ValueError: if `neighbourhood` is even, or an argument is out of range.

    Example (the published model: 182,528 inputs of width 64 + 258):

    >>> FramePair(368, 496)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.2 and appendix H.
    """

    kind = "frames"

    def __init__(self, height, width, channels=3, neighbourhood=3, stem_channels=64, **kwargs):
        for name in ("height", "width", "channels"):
            arguments.optional_whole_number(name, locals()[name])
        super().__init__((2, height, width, channels), **kwargs)
        self.neighbourhood = arguments.whole_number("neighbourhood", neighbourhood)
        if neighbourhood % 2 == 0:
            raise ValueError(
                f"`neighbourhood` must be odd. Received: neighbourhood={neighbourhood}"
            )
        self.stem_channels = arguments.whole_number("stem_channels", stem_channels)

    def stem_shape(self, shape=None):
        return (*(shape or self.shape)[1:3], self.stem_channels)

    def build_stem(self):
        self.projection_in = keras.layers.Dense(
            self.stem_channels,
            kernel_initializer=plain_linear_init(),
            dtype=self.dtype_policy,
            name="projection",
        )
        self.projection_in.build((None, 2 * self.neighbourhood**2 * self.shape[-1]))

    def stem(self, inputs, training=None, repeated=False):
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
        }
