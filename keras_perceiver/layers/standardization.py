"""Standardisation of raw values by statistics of the training data."""

import keras
import numpy as np
from keras import ops

from keras_perceiver.layers.precision import wide

LEAST_STD = 1e-6  # over the mean: less is rounding


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Standardization(keras.layers.Layer):
    """Subtracts the mean of each channel, and divides by its standard deviation.

    Layer normalisation cannot do this: it divides by what all channels of one input have in common.
    An offset that is large over the differences between inputs, or over positions in [-1, 1], hides
    both.

    `adapt` sets the statistics. They are weights, so they are saved with a model and do not
    change in training. Before, the layer changes nothing. A channel that is constant in the data
    becomes 0.

    Call arguments:
        inputs: Array of shape `(..., channels)`.

    Returns:
        The standardised array, in the dtype of the layer.

    Example:

    >>> moments, layer = Moments(), Standardization()
    >>> moments.add(images)
    >>> layer.adapt(moments)
    >>> layer(images)
    """

    left_raw = False  # whether a model was trained without the statistics, on raw values

    def __init__(self, **kwargs):
        kwargs.setdefault("autocast", False)  # half precision is too coarse for large offsets
        super().__init__(**kwargs)

    def build(self, input_shape):
        def add(name, value, *shape):
            return self.add_weight(
                shape=shape, initializer=value, trainable=False, autocast=False, name=name
            )

        channels = input_shape[-1]
        self.mean, self.std = add("mean", "zeros", channels), add("std", "ones", channels)
        self.count = add("count", "zeros")

    @property
    def adapted(self):
        """Whether the statistics were measured."""
        return float(ops.convert_to_numpy(self.count)) > 0

    def adapt(self, moments):
        """Takes over measured statistics.

        Args:
            moments: `Moments` of the data.

        Raises:
            ValueError: if a channel has no finite value. The layer is then as before.
        """
        if not self.built:
            self.build((moments.channels,))
        mean, std = moments.mean_and_std()
        constant = std <= LEAST_STD * np.abs(mean)
        self.mean.assign(mean)
        self.std.assign(np.where(constant, np.maximum(np.abs(mean), 1.0), std))
        self.count.assign(moments.count.max())

    def call(self, inputs):
        inputs = wide(inputs)
        mean, std = (ops.cast(weight, inputs.dtype) for weight in (self.mean, self.std))
        return ops.cast((inputs - mean) / std, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


class Moments:
    """Mean and standard deviation of each channel of data that come in batches, in float64."""

    channels = 0

    def add(self, batch):
        """Adds an array `(..., channels)`. Values that are not finite are left out."""
        values = np.asarray(batch)
        values = values.reshape(-1, values.shape[-1])
        finite = np.isfinite(values)
        count = finite.sum(axis=0)
        values = np.where(finite, values, 0).astype("float64")
        mean = values.sum(axis=0) / np.maximum(count, 1)
        squares = np.where(finite, (values - mean) ** 2, 0).sum(axis=0)
        if not self.channels:
            self.channels = values.shape[-1]
            self.count, self.mean, self.squares = count, mean, squares
            return
        total = self.count + count
        share, gap = count / np.maximum(total, 1), mean - self.mean
        self.squares = self.squares + squares + gap**2 * self.count * share
        self.mean = self.mean + gap * share
        self.count = total

    def mean_and_std(self):
        """Raises ValueError if a channel has no finite value."""
        if not self.channels or not self.count.all():
            received = f"counts {self.count.tolist()}" if self.channels else "no examples"
            raise ValueError(
                "The data must have a finite value in each channel, to measure its mean. Received: "
                f"{received}"
            )
        return self.mean, np.sqrt(self.squares / self.count)
