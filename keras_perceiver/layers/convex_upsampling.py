"""Learned convex upsampling: each fine cell is a weighted mean of the nine coarse cells around."""

import itertools

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.initializers import fresh, get_initializer, plain_linear_init
from keras_perceiver.layers.part_cost import PartCost, dense

WEIGHT_SCALE = 0.25  # of what the softmax is taken of, so that the two heads learn equally fast


@keras.saving.register_keras_serializable(package="keras_perceiver")
class ConvexUpsampling(keras.layers.Layer):
    """Values at each cell of a fine grid, from features at each cell of a coarse grid.

    Convolutions predict from the features the values of each coarse cell, and `stride * stride`
    sets of nine weights, which a softmax makes positive with sum 1. Each fine cell is the sum, with
    one of these sets, of the values of its coarse cell and the eight around it. Beyond the edge of
    the grid values are zero.

    From RAFT's paper: the convex combination of the nine coarse neighbours, whose weights are
    predicted by two convolutions. From RAFT's code: 256 hidden channels, the kernels' sizes (3x3
    and 3x3 for values, 3x3 and 1x1 for weights), ReLU, the factor 0.25 before the softmax, zeros
    beyond the edge, and the order of the weights' channels (neighbour, row, column). Chosen here:
    the initial kernels, which are those of the other convolutions of this package, and that the
    combination is computed in at least float32.

    Args:
        channels: Number of values at each cell.
        stride: How many fine cells a coarse cell has along each axis.
        hidden_channels: Width of the hidden layer before the values and of that before the weights.
        scale: Constant factor for the values, above 0. For flow, which is measured in cells, it
            contains `stride`.
        kernel_initializer: Of the last convolution before the values. Default: a truncated normal
            with stddev 1/sqrt(fan_in).

    Call arguments:
        inputs: Features of shape `(batch, height, width, dim)`.

    Returns:
        Array of shape `(batch, height * stride, width * stride, channels)`, of at least float32.

    Raises:
        ValueError: if an argument is out of range, or `inputs` have another rank.

    Example:

    >>> kp.ConvexUpsampling(2, stride=4, scale=4.0)(keras.ops.zeros((1, 92, 124, 64))).shape
    (1, 368, 496, 2)

    Reference: RAFT (arXiv 2003.12039), section 3.3, used by Perceiver IO (arXiv 2107.14795),
    appendix H.
    """

    def __init__(
        self,
        channels,
        stride,
        hidden_channels=256,
        scale=1.0,
        kernel_initializer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.channels = arguments.whole_number("channels", channels)
        self.stride = arguments.whole_number("stride", stride)
        self.hidden_channels = arguments.whole_number("hidden_channels", hidden_channels)
        self.scale = arguments.number("scale", scale, above=0)
        self.kernel_initializer = get_initializer("kernel_initializer", kernel_initializer)

    def build(self, input_shape):
        axes = "(batch, height, width, dim)"
        arguments.rank_of("inputs", input_shape, 4, axes)
        dim, hidden = input_shape[-1], self.hidden_channels
        initializer = fresh(self.kernel_initializer) or plain_linear_init()
        self.value_hidden_layer = self._convolution("value_hidden", dim, hidden, activation="relu")
        self.value_layer = self._convolution(
            "value", hidden, self.channels, kernel_initializer=initializer
        )
        self.weight_hidden_layer = self._convolution(
            "weight_hidden", dim, hidden, activation="relu"
        )
        self.weight_layer = self._convolution("weight", hidden, 9 * self.stride**2, kernel_size=1)

    def _convolution(self, name, dim, filters, **options):
        options = {"kernel_size": 3, "kernel_initializer": plain_linear_init(), **options}
        layer = keras.layers.Conv2D(
            filters,
            padding="same",
            data_format="channels_last",
            dtype=self.dtype_policy,
            name=name,
            **options,
        )
        layer.build((None, None, None, dim))
        return layer

    def call(self, inputs):
        values = _wide(self.value_layer(self.value_hidden_layer(inputs)))
        weights = _wide(self.weight_layer(self.weight_hidden_layer(inputs)))
        return self._combined(values * self.scale, weights * WEIGHT_SCALE)

    def _combined(self, values, weights):
        """Convex combinations of `(batch, height, width, channels)` on the fine grid."""
        _, height, width, _ = ops.shape(values)
        stride = self.stride
        weights = ops.reshape(weights, (-1, height, width, 9, stride**2))
        weights = ops.softmax(weights, axis=3)
        padded = ops.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
        total = 0.0  # (batch, height, width, stride * stride, channels)
        for k, (row, column) in enumerate(itertools.product(range(3), repeat=2)):
            neighbour = padded[:, row : row - 2 or None, column : column - 2 or None]
            share = ops.expand_dims(weights[:, :, :, k], -1)
            total = total + share * ops.expand_dims(neighbour, 3)
        fine = ops.reshape(total, (-1, height, width, stride, stride * self.channels))
        fine = ops.transpose(fine, (0, 1, 3, 2, 4))
        return ops.reshape(fine, (-1, height * stride, width * stride, self.channels))

    def cost(self, shape):
        """`PartCost` for an example of shape `(height, width, dim)`."""
        height, width, dim = shape
        cells, hidden, per_cell = height * width, self.hidden_channels, self.stride**2
        fine = cells * per_cell
        values = dense(cells, 9 * dim, hidden) + dense(cells, 9 * hidden, self.channels)
        weights = dense(cells, 9 * dim, hidden) + dense(cells, hidden, 9 * per_cell)
        combination = PartCost(
            flops=2 * 9 * fine * self.channels, kept_scores=9 * fine, largest=2 * 9 * fine
        )
        return values + weights + combination

    def compute_output_spec(self, inputs):
        batch, height, width, _ = inputs.shape
        height, width = height and height * self.stride, width and width * self.stride
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        return keras.KerasTensor((batch, height, width, self.channels), dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "channels": self.channels,
            "stride": self.stride,
            "hidden_channels": self.hidden_channels,
            "scale": self.scale,
            "kernel_initializer": self.kernel_initializer
            and keras.initializers.serialize(self.kernel_initializer),
        }


def _wide(array):
    """In at least float32: half precision would move flow of hundreds of pixels."""
    return array if array.dtype == "float64" else ops.cast(array, "float32")
