"""Point clouds and scattered measurements."""

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.layers.local_kernels import numbers
from keras_perceiver.layers.places import Places
from keras_perceiver.layers.take_rows import take_along


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Points(PerceiverInput):
    """Points, with different coordinates in each example and optional features.

    Args:
        num_points: Number of points, or None if known only at call time.
        num_axes: Coordinates of a point.
        num_features: Features of a point besides its coordinates; then the model takes a further
            input `<name>_features`.
        num_bands: Fourier frequencies for each coordinate.
        max_resolution: Number of samples along each axis that can be distinguished; a number, or
            one for each axis.
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, True = may be attended.
        may_be_missing: Whether the modality may be missing from some examples; the model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`.

    Call arguments:
        inputs: Coordinates, usually in [-1, 1], of shape `(batch, num_points, num_axes)`.
        features: Floats of shape `(batch, num_points, num_features)`.

    Returns:
        Array of shape `(batch, num_points, num_features + num_axes * (2 * num_bands + 1))`.

    Raises:
        ValueError: if coordinates are not finite (checked when called eagerly), or an argument is
            out of range.

    Example (ModelNet40):

    >>> Points(2048, num_bands=64, max_resolution=1120)

    Reference: Perceiver (arXiv 2103.03206), section 4.3.
    """

    kind = "points"

    def __init__(
        self,
        num_points=None,
        num_axes=3,
        num_features=0,
        num_bands=32,
        max_resolution=64,
        **kwargs,
    ):
        # Coordinates stay float32 in mixed precision: half precision cannot distinguish close
        # points.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.num_points = arguments.optional_whole_number("num_points", num_points)
        self.num_axes = arguments.whole_number("num_axes", num_axes)
        self.num_features = arguments.whole_number("num_features", num_features, at_least=0)
        self.num_bands = arguments.whole_number("num_bands", num_bands)
        self.max_resolution = arguments.resolution("max_resolution", max_resolution, self.num_axes)
        self.encoding = FourierEncoding(
            num_bands, max_resolution, source="coordinates", dtype=self.dtype_policy
        )

    def raw_parts(self):
        parts = {"inputs": ((self.num_points, self.num_axes), "float32")}
        if self.num_features:
            parts["features"] = ((self.num_points, self.num_features), "float32")
        return parts

    @property
    def num_inputs(self):
        return self.num_points

    @property
    def input_dim(self):
        return self.num_features + self.encoding.num_features(self.num_axes)

    def build(self, input_shape):
        self.encoding.build((None, self.num_points, self.num_axes))

    def call(self, inputs, features=None, indices=None):
        if indices is not None:
            inputs = take_along(inputs, indices)
        positions = self.encoding(inputs)
        if features is None:
            return positions
        if indices is not None:
            features = take_along(features, indices)
        return ops.concatenate([ops.cast(features, positions.dtype), positions], axis=-1)

    def places(self, random, count):
        coordinates = random.random((count, self.num_axes))
        parts = {"inputs": coordinates[None] * 2 - 1}
        if self.num_features:
            parts["features"] = random.normal(size=(1, count, self.num_features))
        parts = {key: ops.convert_to_tensor(part, "float32") for key, part in parts.items()}
        resolution = self.encoding.max_resolution
        extents = (resolution,) * self.num_axes if isinstance(resolution, int) else resolution
        return Places(numbers(self(**parts))[0], coordinates, tuple(extents))

    def content_channels(self):
        return np.arange(self.input_dim) < self.num_features

    def opened(self):
        return type(self).from_config({**self.get_config(), "num_points": None})

    def get_config(self):
        return {
            **super().get_config(),
            "num_points": self.num_points,
            "num_axes": self.num_axes,
            "num_features": self.num_features,
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
        }
