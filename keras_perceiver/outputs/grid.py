"""Values or classes at every cell of a grid."""

import keras

from keras_perceiver import arguments
from keras_perceiver.outputs.grid_output import GridOutput
from keras_perceiver.outputs.grid_queries import GridQueries


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Grid(GridOutput):
    """Values or classes at each cell of a grid: segmentation, depth, forecasts.

    The query of each cell consists of the Fourier features of its position. The model returns
    `(batch, *grid, channels)`, or logits `(batch, *grid, num_classes)` for targets
    `(batch, *grid)`.

    Args:
        grid: Sizes of the grid, such as `(height, width)` or `(hours,)`.
        channels: Number of values at each cell; the default loss is the mean squared error.
        num_classes: Alternatively, the number of classes. The outputs are then logits, the targets
            whole numbers, and the default loss is the cross-entropy.
        loss: Name of a Keras loss that replaces the default, such as "mae".
        num_bands: Fourier frequencies for each axis. Default: half the largest grid size, at
            least 4 and at most 64.
        max_resolution: See `FourierEncoding`. Default: `grid`.
        endpoint: See `FourierEncoding`: with True the last cell is at position 1; False is the
            convention of DeepMind's code for decoding a subsample.
        num_decoded: If given, the model takes `<name>_indices` of shape `(batch, num_decoded)`
            and returns only those cells, `(batch, num_decoded, ...)`, for training on a sample.

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
        self.num_bands = arguments.optional_whole_number("num_bands", num_bands)
        self.max_resolution = arguments.resolution("max_resolution", max_resolution, len(self.grid))
        self.endpoint = arguments.flag("endpoint", endpoint)
        self.num_decoded = arguments.optional_whole_number("num_decoded", num_decoded)

    @property
    def shape(self):
        return (*self.grid, self.output_dim)

    def grid_queries(self, dtype=None):
        return GridQueries(
            self.grid,
            self.num_bands or min(64, max(4, max(self.grid) // 2)),
            self.max_resolution,
            endpoint=self.endpoint,
            name=f"{self.name}_queries",
            dtype=dtype,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "grid": self.grid,
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
            "endpoint": self.endpoint,
            "num_decoded": self.num_decoded,
        }
