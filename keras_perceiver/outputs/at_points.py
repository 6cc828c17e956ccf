"""Something at coordinates given at call time."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class AtPoints(ValuesOrClasses):
    """Numbers or a class at any coordinates: fields, occupancy, super-resolution.

    The model takes `<name>_points`, coordinates of shape `(batch, num_points, num_axes)`, and
    returns `(batch, num_points, channels)` or logits `(batch, num_points, num_classes)`.

    Args:
        num_axes: Coordinates of a point.
        channels, num_classes, loss: What is at each point; one of the first two. See
            `ValuesOrClasses`.
        num_points: Number of points, or None if known only at call time.
        num_bands: Fourier frequencies for each coordinate.
        max_resolution: How many samples along each axis are to be told apart; a number or one for
            each axis.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> kp.build_perceiver_io(kp.Points(2048), {"field": kp.AtPoints(3, channels=1)})

    Reference: Perceiver IO (arXiv 2107.14795), section 3.2.
    """

    kind = "query"

    def __init__(
        self,
        num_axes,
        channels=None,
        num_classes=None,
        loss=None,
        num_points=None,
        num_bands=32,
        max_resolution=64,
    ):
        super().__init__(channels, num_classes, loss)
        self.num_axes = arguments.whole_number("num_axes", num_axes)
        if num_points is not None:
            arguments.whole_number("num_points", num_points)
        self.num_points = num_points
        self.num_bands = arguments.whole_number("num_bands", num_bands)
        self.max_resolution = max_resolution

    def sources(self, name, readers):
        key = f"{name}_points"
        return {key: keras.Input((self.num_points, self.num_axes), name=key)}

    def query_layer(self, name, readers, latent_dim, dtype):
        return FourierEncoding(
            self.num_bands,
            self.max_resolution,
            source="coordinates",
            name=f"{name}_queries",
            dtype=dtype,
        )

    def queries(self, layer, name, readers, latents, sources, indices=None):
        points = sources[f"{name}_points"]
        if indices is not None:
            points = keras.ops.take_along_axis(points, indices[..., None], axis=1)
        return layer(points)

    def num_queries(self, name, readers, raw):
        return raw[f"{name}_points"].shape[1]

    def get_config(self):
        return {
            **super().get_config(),
            "num_axes": self.num_axes,
            "num_points": self.num_points,
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
        }
