"""Optical flow."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.frame_pair import FramePair
from keras_perceiver.layers.convex_upsampling import ConvexUpsampling
from keras_perceiver.layers.precision import dtype_policy
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.per_input import PerInput
from keras_perceiver.outputs.values_or_classes import get_loss

REDUCTIONS = (None, "none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight")


@keras.saving.register_keras_serializable(package="keras_perceiver")
class EndPointError(keras.losses.Loss):
    """Mean length of the difference between flow vectors `(batch, height, width, 2)`, in pixels."""

    def __init__(self, reduction="sum_over_batch_size", name="end_point_error", dtype=None):
        arguments.one_of("reduction", reduction, REDUCTIONS)
        arguments.optional_text("name", name)
        dtype = None if dtype is None else dtype_policy(dtype)
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        squared = ops.sum(ops.square(y_true - y_pred), axis=-1)
        return ops.sqrt(squared + 1e-12)  # the gradient of the square root at 0 is not finite


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Flow(PerInput):
    """The displacement of each pixel from the first to the second frame: (right, down), in pixels.

    The queries are the preprocessed frames. The published network divides its output by 100, and
    the result is multiplied by 20 outside the network; here the model does both.

    If the grid of the frames is coarser than their pixels (`FramePair(stem="conv")`), each query is
    answered by a vector of features, and a `ConvexUpsampling` of their grid predicts the flow of
    each pixel. From the paper: 64 channels and RAFT's upsampling. Chosen here: flow starts at zero,
    and is measured in cells of the coarse grid, as in RAFT, times `scale`; so the last layer's
    output is multiplied by `scale` and by the stride of the grid. Cells that stick out of the
    frames are cut off.

    Args:
        input: Name of a `FramePair`. Default: the only input.
        loss: Name of a Keras loss. Default: `EndPointError`.
        scale: Factor that converts the output of the last layer to pixels, or with upsampling to
            cells of the coarse grid, above 0.
        upsampling: "convex": `ConvexUpsampling`. Default: "convex" for a `FramePair` whose stem
            makes the grid coarser, otherwise none.
        upsampling_channels: Width of the features that are upsampled.
        hidden_channels: Width of the hidden layers of `ConvexUpsampling`.

    Raises:
        ValueError: if there is no such input, or its frames cannot be upsampled.

    Example:

    >>> kp.build_optical_flow(368, 496)
    >>> kp.build_perceiver_io(kp.FramePair(368, 496, stem="conv"), kp.Flow())

    Reference: Perceiver IO (arXiv 2107.14795), section 4.2 and appendix H; RAFT
    (arXiv 2003.12039), section 3.3.
    """

    kind = "flow"
    stride = None  # on bound copies that upsample: how many pixels a cell has along each axis

    def __init__(
        self,
        input=None,
        loss=None,
        scale=0.2,
        upsampling=None,
        upsampling_channels=64,
        hidden_channels=256,
    ):
        super().__init__(input, channels=2, loss=loss, scale=scale, zero_init=True)
        if upsampling is not None:
            arguments.one_of("upsampling", upsampling, ("convex",))
        self.upsampling = upsampling
        self.upsampling_channels = arguments.whole_number(
            "upsampling_channels", upsampling_channels
        )
        self.hidden_channels = arguments.whole_number("hidden_channels", hidden_channels)

    def bind(self):
        super().bind()
        of_frames = isinstance(self.reader, FramePair)
        if self.upsampling is not None and not of_frames:
            raise ValueError(
                f"`upsampling` must be None unless `input` is a FramePair. Received: upsampling="
                f"{self.upsampling!r}, input {self.input!r} of type {type(self.reader).__name__}"
            )
        coarse = of_frames and self.reader.patch_size != (1, 1)
        self.stride = self.reader.patch_size[0] if coarse or self.upsampling else None
        if self.stride is None:
            return
        if None in self.frame_size:
            raise ValueError(
                "`height` and `width` of the frames must be known for `upsampling`. Received: "
                f"height={self.frame_size[0]}, width={self.frame_size[1]}"
            )
        if any(n * self.stride < size for n, size in zip(self.reader.grid, self.frame_size)):
            raise ValueError(
                "`symmetric_padding` must be False for `upsampling`, since its grid does not cover "
                f"the frames. Received: frames {self.frame_size}, a grid {self.reader.grid} of "
                f"stride {self.stride}"
            )

    @property
    def frame_size(self):
        return tuple(self.reader.shape[1:3])

    @property
    def output_dim(self):
        return super().output_dim if self.stride is None else self.upsampling_channels

    @property
    def shape(self):
        return super().shape if self.stride is None else (*self.frame_size, self.channels)

    @property
    def answers_stand_alone(self):
        return self.stride is None  # otherwise convolutions look at the answers around

    def default_loss(self):
        return EndPointError() if self.loss is None else get_loss(self.loss)

    def metrics(self):
        return [keras.metrics.MeanMetricWrapper(_end_point_error, name="end_point_error")]

    def make_head(self, dtype):
        if self.stride is None:
            return super().make_head(dtype)
        return OutputHead(self.output_dim, name=f"{self.name}_head", dtype=dtype)

    def make_layers(self, dtype):
        super().make_layers(dtype)
        if self.stride is not None:
            self.upsampling_layer = self.make_upsampling(dtype)

    def make_upsampling(self, dtype=None):
        return ConvexUpsampling(
            self.channels,
            self.stride,
            self.hidden_channels,
            scale=self.scale * self.stride,
            kernel_initializer="zeros",
            name=f"{self.name}_upsampling",
            dtype=dtype,
        )

    def arranged(self, rows, library=ops):
        """As of `Output`; upsamples the features of all cells, and cuts off what sticks out."""
        if self.stride is None:
            return super().arranged(rows, library)
        grid, (height, width) = self.reader.grid, self.frame_size
        flow = self.upsampling_layer(ops.reshape(rows, (-1, *grid, self.output_dim)))
        if tuple(flow.shape[1:3]) != (height, width):
            flow = flow[:, :height, :width]
        return flow if library is ops else ops.convert_to_numpy(flow)

    def head_cost(self, width):
        cost = super().head_cost(width)
        if self.stride is None:
            return cost
        return cost + self.make_upsampling().cost((*self.reader.grid, self.output_dim))

    def get_config(self):
        return {
            "input": self.input,
            "loss": self.loss,
            "scale": self.scale,
            "upsampling": self.upsampling,
            "upsampling_channels": self.upsampling_channels,
            "hidden_channels": self.hidden_channels,
        }


@keras.saving.register_keras_serializable(package="keras_perceiver")
def _end_point_error(y_true, y_pred):
    return EndPointError(reduction="none")(y_true, y_pred)
