"""Layer normalisation that keeps little memory for the backward pass."""

import keras
from keras import ops

from keras_perceiver.layers.precision import wide, wide_dtype

EPSILON = 1e-5  # as in the papers' code; Keras' default is 1e-3


@keras.saving.register_keras_serializable(package="keras_perceiver")
class LayerNorm(keras.layers.LayerNormalization):
    """Keras' `LayerNormalization` over the last axis: same weights, same results, less memory.

    Automatic differentiation would keep one more array of the size of the inputs for the backward
    pass. Here, only the inputs, their mean and their standard deviation are kept, and a training
    step is faster. Sums are at least float32, also in mixed precision.

    Args:
        epsilon: Added to the variance.

    Call arguments:
        inputs: Array of shape `(..., channels)`.

    Returns:
        Array of the shape of `inputs`.

    Example:

    >>> LayerNorm()(keras.ops.ones((2, 7, 12))).shape
    (2, 7, 12)

    Reference: Perceiver IO (arXiv 2107.14795), appendix E (pre-norm blocks).
    """

    def __init__(self, epsilon=EPSILON, **kwargs):
        super().__init__(epsilon=epsilon, **kwargs)

    def call(self, inputs):
        weights = [ops.cast(weight, wide_dtype(inputs)) for weight in (self.gamma, self.beta)]
        return _normalize(inputs, *weights, epsilon=self.epsilon)


def _normalize(inputs, gamma, beta, epsilon):
    dtype = inputs.dtype

    @ops.custom_gradient
    def normalize(inputs, gamma, beta):
        x = wide(inputs)
        mean = ops.mean(x, axis=-1, keepdims=True)
        # Not `ops.moments`, which subtracts two large numbers on torch. Not `x * gain +
        # (beta - mean * gain)`, which takes a third more time and has a larger rounding error.
        centred = x - mean
        # The rounding error of the mean matters if the mean is thousands of times the deviation.
        rest = ops.mean(centred, axis=-1, keepdims=True)
        centred = centred - rest
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        inverse = 1.0 / ops.sqrt(variance + epsilon)  # more exact than `rsqrt`
        outputs = centred * inverse * gamma + beta

        def gradient(*args, upstream=None):
            u = wide(args[0] if upstream is None else upstream)
            # The sign is flipped so that this is another expression than `x - mean` above: a graph
            # compiler would compute that once and keep the array for the backward pass.
            normed = (mean - x + rest) * -inverse
            gain = u * gamma
            along = ops.mean(gain * normed, axis=-1, keepdims=True)
            d_x = inverse * (gain - ops.mean(gain, axis=-1, keepdims=True) - normed * along)
            others = list(range(len(inputs.shape) - 1))
            return ops.cast(d_x, dtype), ops.sum(u * normed, others), ops.sum(u, others)

        return ops.cast(outputs, dtype), gradient

    return normalize(inputs, gamma, beta)
