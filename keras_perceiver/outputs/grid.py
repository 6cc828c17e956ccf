"""Values or classes at every cell of a grid."""

import math

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.outputs.grid_output import GridOutput
from keras_perceiver.outputs.grid_queries import GridQueries


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Grid(GridOutput):
    """Values or classes at each cell of a grid: segmentation, depth, forecasts.

    The query of each cell, or of each patch of cells, consists of the Fourier features of its
    position. The model returns `(batch, *grid, channels)`, or logits `(batch, *grid, num_classes)`
    for targets `(batch, *grid)`.

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
        patch_size: Sizes of the patch that one query answers, or one number for all axes. Patches
            that stick out of the grid are cut off. Patches of 4 x 4 make decoding about 16 times
            cheaper.

    Raises:
        ValueError: if an argument is out of range, or `num_decoded` is given with patches.

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
        patch_size=1,
    ):
        super().__init__(channels, num_classes, loss)
        self.grid = arguments.sizes("grid", grid)
        self.num_bands = arguments.optional_whole_number("num_bands", num_bands)
        self.max_resolution = arguments.resolution("max_resolution", max_resolution, len(self.grid))
        self.endpoint = arguments.flag("endpoint", endpoint)
        self.num_decoded = arguments.optional_whole_number("num_decoded", num_decoded)
        if not isinstance(patch_size, (tuple, list)):
            patch_size = (arguments.whole_number("patch_size", patch_size),) * len(self.grid)
        self.patch_size = arguments.sizes("patch_size", patch_size, rank=len(self.grid))
        if num_decoded is not None and self.in_patches:
            raise ValueError(
                "`num_decoded` must be None with patches, since it counts single cells. Received: "
                f"num_decoded={num_decoded}, patch_size={self.patch_size}"
            )

    @property
    def in_patches(self):
        return any(size > 1 for size in self.patch_size)

    @property
    def query_grid(self):
        return tuple(-(-size // patch) for size, patch in zip(self.grid, self.patch_size))

    @property
    def output_dim(self):
        return super().output_dim * math.prod(self.patch_size)

    @property
    def shape(self):
        return (*self.grid, super().output_dim)

    def arranged(self, rows, library=ops):
        """As of `Output`; joins patches, and cuts off what sticks out of the grid."""
        if not self.in_patches:
            return super().arranged(rows, library)
        channels = super().output_dim
        # For one axis after the other, the cells of a patch are brought beside their patch. This
        # takes five axes at a time; LiteRT can transpose six.
        for axis, (cells, patch) in enumerate(zip(self.query_grid, self.patch_size)):
            cells_left = math.prod(self.query_grid[axis + 1 :])
            values_left = math.prod(self.patch_size[axis + 1 :]) * channels
            if cells_left > 1 and patch > 1:
                rows = library.reshape(rows, (-1, cells, cells_left, patch, values_left))
                rows = library.transpose(rows, (0, 1, 3, 2, 4))
        whole = [cells * patch for cells, patch in zip(self.query_grid, self.patch_size)]
        rows = library.reshape(rows, (-1, *whole, channels))
        return rows[(slice(None), *(slice(size) for size in self.grid))]

    def grid_queries(self, dtype=None):
        return GridQueries(
            self.query_grid,
            self.num_bands or min(64, max(4, max(self.query_grid) // 2)),
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
            "patch_size": self.patch_size,
        }
