"""Optical flow."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.precision import dtype_policy
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

    Args:
        input: Name of a `FramePair`. Default: the only input.
        loss: Name of a Keras loss. Default: `EndPointError`.
        scale: Factor that converts the output of the last layer to pixels, above 0.

    Raises:
        ValueError: if there is no such input.

    Example:

    >>> kp.build_optical_flow(368, 496)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.2 and appendix H.
    """

    kind = "flow"

    def __init__(self, input=None, loss=None, scale=0.2):
        super().__init__(input, channels=2, loss=loss, scale=scale, zero_init=True)

    def default_loss(self):
        return EndPointError() if self.loss is None else get_loss(self.loss)

    def metrics(self):
        return [keras.metrics.MeanMetricWrapper(_end_point_error, name="end_point_error")]

    def get_config(self):
        return {"input": self.input, "loss": self.loss, "scale": self.scale}


@keras.saving.register_keras_serializable(package="keras_perceiver")
def _end_point_error(y_true, y_pred):
    return EndPointError(reduction="none")(y_true, y_pred)
