"""Queries made of coordinates given at call time."""

import keras

from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.layers.take_rows import take_along


@keras.saving.register_keras_serializable(package="keras_perceiver")
class PointQueries(keras.layers.Layer):
    """The Fourier features of all points, or of selected points.

    Args:
        num_bands, max_resolution: See `FourierEncoding`.

    Call arguments:
        inputs: Coordinates `(batch, num_points, num_axes)`.
        indices: Optional whole numbers `(batch, n)`: only these points.

    Returns:
        Array of shape `(batch, num_points, features)` or `(batch, n, features)`.
    """

    def __init__(self, num_bands, max_resolution, **kwargs):
        kwargs.setdefault("autocast", False)  # half precision cannot distinguish close points
        super().__init__(**kwargs)
        self.encoding = FourierEncoding(
            num_bands,
            max_resolution,
            source="coordinates",
            dtype=self.dtype_policy,
            name="fourier",
        )

    def build(self, input_shape):
        self.encoding.build(input_shape)

    def call(self, inputs, indices=None):
        return self.encoding(inputs if indices is None else take_along(inputs, indices))

    def compute_output_spec(self, inputs, indices=None):
        length = (inputs if indices is None else indices).shape[1]
        width = self.encoding.num_features(inputs.shape[-1])
        return keras.KerasTensor((inputs.shape[0], length, width), self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "num_bands": self.encoding.num_bands,
            "max_resolution": self.encoding.max_resolution,
        }
