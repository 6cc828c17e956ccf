"""Values or classes at coordinates given at call time."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.request_limits import MOST, open_limits
from keras_perceiver.layers.local_kernels import numbers
from keras_perceiver.layers.places import Places
from keras_perceiver.outputs.point_queries import PointQueries
from keras_perceiver.outputs.queries import Queries
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class AtPoints(ValuesOrClasses):
    """Values or classes at any coordinates: fields, occupancy, super-resolution.

    The model takes `<name>_points`, coordinates of shape `(batch, num_points, num_axes)`, and
    returns `(batch, num_points, channels)` or logits `(batch, num_points, num_classes)`.

    Args:
        num_axes: Coordinates of a point.
        channels: Number of values at each point; the default loss is the mean squared error.
        num_classes: Alternatively, the number of classes. The outputs are then logits, the targets
            whole numbers, and the default loss is the cross-entropy.
        loss: Name of a Keras loss that replaces the default, such as "mae".
        num_points: Number of points, or None if known only at call time.
        num_bands: Fourier frequencies for each coordinate.
        max_resolution: Number of samples along each axis that can be distinguished; a number, or
            one for each axis.

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
        self.num_points = arguments.optional_whole_number("num_points", num_points)
        self.num_bands = arguments.whole_number("num_bands", num_bands)
        self.max_resolution = arguments.resolution("max_resolution", max_resolution, self.num_axes)

    @property
    def num_queries(self):
        return self.num_points

    @property
    def query_dim(self):
        return self.num_axes * (2 * self.num_bands + 1)

    def sources(self):
        key = f"{self.name}_points"
        return {key: keras.Input((self.num_points, self.num_axes), name=key)}

    def num_queries_of(self, raw):
        return raw[f"{self.name}_points"].shape[1]

    def make_query_layer(self, dtype):
        return PointQueries(
            self.num_bands, self.max_resolution, name=f"{self.name}_queries", dtype=dtype
        )

    def asks(self, latents, sources, indices=None):
        points = sources[f"{self.name}_points"]
        if indices is None:
            return Queries(self.query_layer(points))
        return Queries(self.query_layer(points, indices=indices))

    def places(self, random, count):
        coordinates = random.random((count, self.num_axes))
        points = ops.convert_to_tensor(coordinates[None] * 2 - 1, "float32")
        resolution = self.max_resolution
        extents = (resolution,) * self.num_axes if isinstance(resolution, int) else resolution
        return Places(numbers(self.query_layer(points))[0], coordinates, tuple(extents))

    def opened(self):
        return AtPoints(**{**self.get_config(), "num_points": None})

    def request_limits(self, max_growth):
        shape = (self.num_points, self.num_axes)
        return {f"{self.name}_points": open_limits(shape)._replace(largest=(MOST, self.num_axes))}

    def get_config(self):
        return {
            **super().get_config(),
            "num_axes": self.num_axes,
            "num_points": self.num_points,
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
        }
