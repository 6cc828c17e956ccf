"""Something at every point of a grid."""

import math

import keras

from keras_perceiver import arguments
from keras_perceiver.outputs.grid_queries import GridQueries
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Grid(ValuesOrClasses):
    """Numbers or a class at each cell of a grid: segmentation, depth, forecasts.

    Each cell is a query made of the Fourier features of its position. The model returns
    `(batch, *grid, channels)`, or logits `(batch, *grid, num_classes)` for targets
    `(batch, *grid)`.

    Args:
        grid: Sizes of the grid, such as `(height, width)` or `(hours,)`.
        channels, num_classes, loss: What is at each cell; one of the first two. See
            `ValuesOrClasses`.
        num_bands: Fourier frequencies for each axis. Default: half the largest grid size, at
            least 4 and at most 64.
        max_resolution: See `FourierEncoding`. Default: `grid`.
        endpoint: See `FourierEncoding`: True puts the last cell at position 1, False follows the
            sub-sampled decoding of DeepMind's code.
        num_decoded: If given, the model takes `<name>_indices` of shape `(batch, num_decoded)`
            and returns those cells only, `(batch, num_decoded, ...)`, for training on a sample.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> kp.build_perceiver_io((64, 64, 3), kp.Grid((64, 64), num_classes=21))

    Reference: Perceiver IO (arXiv 2107.14795), section 3.2.
    """

    kind = "grid"

    def __init__(
        self,
        grid,
        channels=None,
        num_classes=None,
        loss=None,
        num_bands=None,
        max_resolution=None,
        endpoint=True,
        num_decoded=None,
    ):
        super().__init__(channels, num_classes, loss)
        self.grid = arguments.sizes("grid", grid)
        for name in ("num_bands", "num_decoded"):
            if locals()[name] is not None:
                arguments.whole_number(name, locals()[name])
        self.num_bands = num_bands
        self.max_resolution = max_resolution
        self.endpoint = bool(endpoint)
        self.num_decoded = num_decoded

    def target_shape(self, readers):
        return (*self.grid, self.output_dim)

    def query_layer(self, name, readers, latent_dim, dtype):
        return GridQueries(
            self.grid,
            self.num_bands or min(64, max(4, max(self.grid) // 2)),
            self.max_resolution,
            endpoint=self.endpoint,
            name=f"{name}_queries",
            dtype=dtype,
        )

    def queries_apart(self, layer, name, readers, latents, sources):
        if self.num_decoded is not None or len(layer.grid) < 2:
            return None
        return layer(latents, joined=False), layer.encoding

    def num_queries(self, name, readers, raw):
        return math.prod(self.grid)

    def get_config(self):
        return {
            **super().get_config(),
            "grid": self.grid,
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
            "endpoint": self.endpoint,
            "num_decoded": self.num_decoded,
        }
