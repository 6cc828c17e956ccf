"""Fourier features of positions: the papers' fixed position encoding."""

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments


@keras.saving.register_keras_serializable(package="keras_perceiver")
class FourierEncoding(keras.layers.Layer):
    """Encodes positions in [-1, 1] by sines and cosines of linearly spaced frequencies.

    For each axis there are `num_bands` frequencies from 1 to half its `max_resolution` (the
    Nyquist frequency of that many samples), and the features of a position p are
    sin(pi f p) and cos(pi f p). Features are ordered: positions of each axis, all sines (axis by
    axis, band by band), all cosines in the same order.

    Args:
        num_bands: Number of frequencies for each axis.
        max_resolution: A number for each axis, or one for all. Default: the size of the grid the
            layer is first called on, which then stays, so that another size of grid is read with
            the same frequencies. It must be given for coordinates and for sizes not known before.
        source: "grid": positions come from the shape of `inputs`, at call time, from -1 to 1
            inclusive along each axis. "coordinates": `inputs` are the positions.
        endpoint: Where the last of n grid positions lies: at 1 (True), or at 1 - 2/n (False), the
            convention by which DeepMind's code decodes a subsample of a grid.
        concat_pos: Whether the positions themselves are among the features.
        sine_only: Whether the cosines are left out.

    Call arguments:
        inputs: A grid of shape `(batch, *grid, channels)` (its values are not used), or
            coordinates of shape `(batch, num_positions, num_axes)`.

    Returns:
        Array of shape `(batch, num_positions, features)` with `num_positions` the product of the
        grid's sizes in row-major order, and `features` = `num_axes * (2 * num_bands + 1)` (less
        `num_axes` without `concat_pos`, `num_bands` in place of `2 * num_bands` if `sine_only`).

    Raises:
        ValueError: if `max_resolution` is missing where it must be given or does not fit the
            axes, if coordinates are not finite (checked when called eagerly), or an argument is
            out of range.

    Example:

    >>> FourierEncoding(num_bands=64)(keras.ops.zeros((1, 224, 224, 3))).shape
    (1, 50176, 258)
    >>> FourierEncoding(64, max_resolution=1120, source="coordinates")(points).shape  # ModelNet40
    (32, 2048, 387)

    Reference: Perceiver (arXiv 2103.03206), section 3.2 and appendix D; Perceiver IO
    (arXiv 2107.14795), appendix D.
    """

    def __init__(
        self,
        num_bands,
        max_resolution=None,
        source="grid",
        endpoint=True,
        concat_pos=True,
        sine_only=False,
        **kwargs,
    ):
        # Positions keep float32 under mixed precision: half precision cannot tell pixels apart.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.num_bands = arguments.whole_number("num_bands", num_bands)
        self.source = arguments.one_of("source", source, ("grid", "coordinates"))
        if isinstance(max_resolution, (int, np.integer)) or max_resolution is None:
            self.max_resolution = max_resolution
        else:
            self.max_resolution = arguments.sizes("max_resolution", max_resolution)
        if isinstance(self.max_resolution, (int, np.integer)):
            arguments.whole_number("max_resolution", self.max_resolution)
        if source == "coordinates" and max_resolution is None:
            raise ValueError(
                "`max_resolution` must be given with source='coordinates': the number of samples "
                "along each axis that positions should tell apart. Received: max_resolution=None"
            )
        self.endpoint = bool(endpoint)
        self.concat_pos = bool(concat_pos)
        self.sine_only = bool(sine_only)

    def build(self, input_shape):
        if self.source == "coordinates":
            wanted = "(batch, num_positions, num_axes)"
            arguments.rank_of("coordinates", input_shape, 3, wanted)
            grid = (None,) * input_shape[-1]
        else:
            grid = tuple(input_shape[1:-1])
            if not grid:
                raise ValueError(
                    "`inputs` must have shape (batch, *grid, channels) with at least one grid "
                    f"axis. Received: inputs of shape {tuple(input_shape)}"
                )
        resolution = self.max_resolution
        if resolution is None:
            resolution = grid
        elif isinstance(resolution, (int, np.integer)):
            resolution = (int(resolution),) * len(grid)
        if len(resolution) != len(grid) or None in resolution:
            raise ValueError(
                f"`max_resolution` must give one number for each of the {len(grid)} axes of "
                f"inputs of shape {tuple(input_shape)}. Received: "
                f"max_resolution={self.max_resolution}"
            )
        self.frequencies = [np.linspace(1.0, r / 2, self.num_bands) for r in resolution]

    def call(self, inputs):
        if self.source == "coordinates":
            return self._encode_coordinates(inputs)
        batch, *grid = ops.shape(inputs)[:-1]
        encoded = self.encode_grid(grid)
        length, features = ops.shape(encoded)
        return ops.broadcast_to(encoded[None], (batch, length, features))

    def encode_grid(self, grid):
        """The features of a grid of these sizes, of shape `(num_positions, features)`."""
        tables = self.axis_tables(grid)
        parts = []
        for kind, wanted in ((0, self.concat_pos), (1, True), (2, not self.sine_only)):
            for axis, table in enumerate(tables):
                if wanted:
                    shape = [1] * len(grid) + [-1]
                    shape[axis] = grid[axis]
                    spread = ops.reshape(table[kind], shape)
                    parts.append(ops.broadcast_to(spread, (*grid, table[kind].shape[-1])))
        encoded = ops.concatenate(parts, axis=-1)
        return ops.reshape(encoded, (-1, self.num_features(len(grid))))

    def encode_indices(self, indices, grid):
        """The features of some cells `(batch, n)` of a grid of known sizes, counted row by row."""
        stride = int(np.prod(grid))
        positions, sines, cosines = [], [], []
        for size, table in zip(grid, self.axis_tables(grid)):
            stride //= size
            index = ops.mod(ops.floor_divide(indices, stride), size)
            for found, values in zip((positions, sines, cosines), table):
                found.append(ops.take(values, index, axis=0))
        parts = positions if self.concat_pos else []
        parts = parts + sines if self.sine_only else parts + sines + cosines
        return ops.concatenate(parts, axis=-1)

    def axis_tables(self, grid):
        """For each axis its positions (n, 1), sines (n, num_bands) and cosines (n, num_bands).

        The features of a grid are separable: each depends on one axis only, so these small tables
        hold all of them.
        """
        tables = []
        for size, frequencies in zip(grid, self.frequencies):
            if isinstance(size, int):  # known sizes: in float64, where large angles stay exact
                positions = np.linspace(-1.0, 1.0, size, endpoint=self.endpoint)[:, None]
                angles = np.pi * positions * frequencies
                table = (positions, np.sin(angles), np.cos(angles))
                table = [ops.convert_to_tensor(t, self.compute_dtype) for t in table]
            else:
                index = ops.cast(ops.arange(size), "float32")
                last = ops.cast(ops.maximum(size - int(self.endpoint), 1), "float32")
                positions = (2.0 * index / last - 1.0)[:, None]
                angles = positions * ops.convert_to_tensor(np.pi * frequencies, "float32")
                table = (positions, ops.sin(angles), ops.cos(angles))
                table = [ops.cast(t, self.compute_dtype) for t in table]
            tables.append(table)
        return tables

    def _encode_coordinates(self, coordinates):
        _require_finite("coordinates", coordinates)
        coordinates = ops.cast(coordinates, "float32")
        sines, cosines = [], []
        for axis, frequencies in enumerate(self.frequencies):
            scaled = ops.convert_to_tensor(np.pi * frequencies, "float32")
            angles = coordinates[..., axis : axis + 1] * scaled
            sines.append(ops.sin(angles))
            cosines.append(ops.cos(angles))
        parts = [coordinates] if self.concat_pos else []
        parts += sines if self.sine_only else sines + cosines
        return ops.cast(ops.concatenate(parts, axis=-1), self.compute_dtype)

    def num_features(self, num_axes):
        """Width of the encoding of positions with that many axes."""
        per_axis = self.num_bands * (1 if self.sine_only else 2) + int(self.concat_pos)
        return num_axes * per_axis

    def compute_output_shape(self, input_shape):
        if self.source == "coordinates":
            return (*input_shape[:-1], self.num_features(input_shape[-1]))
        grid = input_shape[1:-1]
        length = None if None in grid else int(np.prod(grid))
        return (input_shape[0], length, self.num_features(len(grid)))

    def get_config(self):
        return {
            **super().get_config(),
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
            "source": self.source,
            "endpoint": self.endpoint,
            "concat_pos": self.concat_pos,
            "sine_only": self.sine_only,
        }


def _require_finite(name, array):
    """Raises ValueError if values that can be looked at (not symbolic ones) are not finite."""
    try:
        values = ops.convert_to_numpy(array)
    except Exception:  # traced: each backend has its own error for "no values yet"
        return
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise ValueError(
            f"`{name}` must be finite numbers, usually in [-1, 1]. Received: {name} with "
            f"{values[tuple(bad[0])]} at index {tuple(int(i) for i in bad[0])}"
        )
