"""Fourier features of positions: the papers' fixed position encoding."""

import math

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.concrete import concrete
from keras_perceiver.layers.take_rows import check_indices, nan_outside

LONG_AXIS = 2**12  # tables of axes with more positions are computed in the graph
FINE_STEPS = 2**10


@keras.saving.register_keras_serializable(package="keras_perceiver")
class FourierEncoding(keras.layers.Layer):
    """Encodes positions in [-1, 1] by sines and cosines of linearly spaced frequencies.

    For each axis there are `num_bands` frequencies from 1 to half its `max_resolution` (the
    Nyquist frequency of that many samples), and the features of a position p are
    sin(pi f p) and cos(pi f p). Features are ordered: positions of each axis, all sines (axis by
    axis, band by band), all cosines in the same order.

    Args:
        num_bands: Number of frequencies for each axis.
        max_resolution: A number for each axis, or one for all axes. Default: the size of the grid
            with which the layer is built; grids of other sizes then use the same frequencies. It
            must be given for coordinates and for grid sizes that are not known in advance.
        source: "grid": positions are computed from the shape of `inputs` at call time, from -1 to 1
            inclusive along each axis. "coordinates": `inputs` are the positions.
        endpoint: The position of the last of n grid cells: 1 (True), or 1 - 2/n (False), the
            convention of DeepMind's code for decoding a subsample of a grid.
        concat_pos: Whether the features include the positions themselves.
        sine_only: Whether the cosines are left out.

    Call arguments:
        inputs: A grid of shape `(batch, *grid, channels)` (its values are not used), or
            coordinates of shape `(batch, num_positions, num_axes)`.

    Returns:
        Array of shape `(batch, num_positions, features)` with `num_positions` the product of the
        grid's sizes in row-major order, and `features` = `num_axes * (2 * num_bands + 1)` (less
        `num_axes` without `concat_pos`, `num_bands` in place of `2 * num_bands` if `sine_only`).

    Raises:
        ValueError: if `max_resolution` is needed but missing or does not fit the axes, if
            coordinates are not finite (checked when called eagerly), or an argument is out of
            range.

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
        # Positions stay float32 in mixed precision: half precision cannot distinguish pixels.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.num_bands = arguments.whole_number("num_bands", num_bands)
        self.source = arguments.one_of("source", source, ("grid", "coordinates"))
        self.max_resolution = arguments.resolution("max_resolution", max_resolution)
        if source == "coordinates" and max_resolution is None:
            raise ValueError(
                "`max_resolution` must be given with source='coordinates': the number of samples "
                "along each axis that can be distinguished. Received: max_resolution=None"
            )
        self.endpoint = arguments.flag("endpoint", endpoint)
        self.concat_pos = arguments.flag("concat_pos", concat_pos)
        self.sine_only = arguments.flag("sine_only", sine_only)

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
        elif isinstance(resolution, int):
            resolution = (resolution,) * len(grid)
        if len(resolution) != len(grid) or None in resolution:
            raise ValueError(
                f"`max_resolution` must give one number for each of the {len(grid)} axes of "
                f"inputs of shape {tuple(input_shape)}. Received: "
                f"max_resolution={self.max_resolution}"
            )
        self.resolution = resolution

    def call(self, inputs):
        if self.source == "coordinates":
            return self._encode_coordinates(inputs)
        batch, *grid = ops.shape(inputs)[:-1]
        encoded = self.encode_grid(grid)
        length, features = ops.shape(encoded)
        return ops.broadcast_to(encoded[None], (batch, length, features))

    def encode_grid(self, grid):
        """The features of a grid with these sizes, of shape `(num_positions, features)`."""
        spread = []
        for axis, table in enumerate(self.axis_tables(grid)):
            shape = [1] * len(grid) + [table.shape[-1]]
            shape[axis] = grid[axis]
            table = ops.reshape(table, shape)
            spread.append(ops.broadcast_to(table, (*grid, table.shape[-1])))
        return ops.reshape(self.join(spread), (-1, self.num_features(len(grid))))

    def encode_indices(self, indices, grid):
        """The features of the cells `indices` `(batch, n)` of a grid, in row-major order.

        In a graph, an index out of range gives NaN; if its value is known, it raises ValueError.
        """
        cells = math.prod(grid)
        check_indices(indices, cells, "indices")
        stride, of_axes = cells, []
        for size, table in zip(grid, self.axis_tables(grid)):
            stride = stride // size
            index = ops.mod(ops.floor_divide(indices, stride), size)
            of_axes.append(ops.take(table, index, axis=0))
        return nan_outside(self.join(of_axes), indices, cells)

    # Only these methods know the order of the channels: positions of all axes, sines of all axes,
    # cosines of all axes. The features of a single axis are its position, its sines, its cosines.

    def join(self, of_axes):
        """Joins the features of each axis, `(..., features of an axis)`, in the layer's order."""
        ends = np.cumsum(self._kinds())
        parts = [array[..., a:b] for a, b in zip((0, *ends), ends) for array in of_axes]
        return ops.concatenate(parts, axis=-1)

    def split(self, features, num_axes):
        """The inverse of `join`."""
        starts = [0]
        for width in self._kinds():
            starts += [starts[-1] + width * (axis + 1) for axis in range(num_axes)]
        pieces = [features[..., a:b] for a, b in zip(starts, starts[1:])]
        return [ops.concatenate(pieces[axis::num_axes], axis=-1) for axis in range(num_axes)]

    def _kinds(self):
        """Widths of an axis' positions, sines and cosines, without those that are left out."""
        return [1] * self.concat_pos + [self.num_bands] * (1 if self.sine_only else 2)

    def axis_tables(self, grid):
        """The features of each axis, `(size, features of an axis)`.

        The features of a grid are separable: each depends on only one axis, so these small tables
        contain all of them.
        """
        return [self._axis_table(size, axis) for axis, size in enumerate(grid)]

    def _axis_table(self, size, axis):
        """Features at n positions: position i is k / last, where k = 2 i - last."""
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        if isinstance(size, int) and size <= LONG_AXIS:
            last = max(size - int(self.endpoint), 1)
            table = np.concatenate(self._features_at(2 * np.arange(size) - last, last, axis), -1)
            return ops.convert_to_tensor(table, self.compute_dtype)
        # Axes that are long or of open size: the table is computed from few coarse and few fine
        # steps with sin(a + b) = sin(a) cos(b) + cos(a) sin(b). Tables of a long axis would be
        # graph constants, which take far more memory and time than this computation.
        known = isinstance(size, int)
        least, most, arange = (
            (min, max, np.arange) if known else (ops.minimum, ops.maximum, _arange)
        )
        size = size if known else ops.cast(size, "int64")
        last = most(size - int(self.endpoint), 1)
        fine = least(size, FINE_STEPS)
        coarse = -(-size // fine)
        coarse_steps, fine_steps = 2 * fine * arange(coarse) - last, 2 * arange(fine)
        _, sin_a, cos_a = self._features_at(coarse_steps, last, axis, every=True)
        _, sin_b, cos_b = self._features_at(fine_steps, last, axis, every=True)
        sin_a, cos_a, sin_b, cos_b = (
            ops.convert_to_tensor(x, dtype) for x in (sin_a, cos_a, sin_b, cos_b)
        )
        sin_a, cos_a = sin_a[:, None], cos_a[:, None]
        parts = [sin_a * cos_b + cos_a * sin_b]
        if not self.sine_only:
            parts.append(cos_a * cos_b - sin_a * sin_b)
        if self.concat_pos:
            whole = "int32" if known else "int64"  # JAX has no int64, but no open sizes either
            coarse_steps, fine_steps = (
                ops.convert_to_tensor(x, whole) for x in (coarse_steps, fine_steps)
            )
            steps = ops.cast(coarse_steps[:, None] + fine_steps, dtype) / ops.cast(last, dtype)
            parts.insert(0, steps[..., None])
        table = ops.concatenate(parts, axis=-1)
        table = ops.reshape(table, (-1, sum(self._kinds())))[:size]
        return ops.cast(table, self.compute_dtype)

    def _features_at(self, steps, last, axis, every=False):
        """[positions, sines, cosines] at the positions steps / last; all three with `every`.

        Frequency j is numerators[j] / denominator, so an angle in half turns is a fraction of
        integers. Whole turns are subtracted exactly, in integer arithmetic.
        """
        numerators, denominator = self._frequencies(axis)
        half_turn = denominator * last
        if isinstance(steps, np.ndarray):
            turned = np.mod(steps[:, None] * numerators + half_turn, 2 * half_turn) - half_turn
            angles = np.pi * (turned / half_turn)
            found = [(steps / last)[:, None], np.sin(angles), np.cos(angles)]
        else:
            dtype = "float64" if self.compute_dtype == "float64" else "float32"
            numerators = ops.convert_to_tensor(numerators, "int64")
            turned = steps[:, None] * numerators + half_turn
            turned = turned - ops.floor_divide(turned, 2 * half_turn) * (2 * half_turn) - half_turn
            angles = np.pi * (ops.cast(turned, dtype) / ops.cast(half_turn, dtype))
            position = ops.cast(steps, dtype) / ops.cast(last, dtype)
            found = [position[:, None], ops.sin(angles), ops.cos(angles)]
        wanted = (self.concat_pos, True, not self.sine_only)
        return found if every else [part for part, use in zip(found, wanted) if use]

    def _frequencies(self, axis):
        """The frequencies from 1 to half the resolution: integer numerators and a denominator."""
        bands, resolution = self.num_bands, self.resolution[axis]
        if bands == 1:
            return np.array([1]), 1
        denominator = 2 * (bands - 1)
        return denominator + np.arange(bands) * (resolution - 2), denominator

    def _encode_coordinates(self, coordinates):
        known = concrete(coordinates)
        if known is not None:
            arguments.finite("coordinates", np.asarray(known))
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        coordinates = ops.cast(coordinates, dtype)
        num_axes = coordinates.shape[-1]
        turns = [numerators / d for numerators, d in map(self._frequencies, range(num_axes))]
        angles = coordinates[..., None] * ops.convert_to_tensor(np.pi * np.array(turns), dtype)
        angles = ops.reshape(angles, (*ops.shape(angles)[:-2], num_axes * self.num_bands))
        parts = [coordinates] if self.concat_pos else []
        parts += [ops.sin(angles)] if self.sine_only else [ops.sin(angles), ops.cos(angles)]
        return ops.cast(ops.concatenate(parts, axis=-1), self.compute_dtype)

    def frequencies(self, axis=0):
        """The frequencies of an axis of a built layer: waves from one end of it to the other."""
        numerators, denominator = self._frequencies(axis)
        return numerators / denominator

    def explain(self):
        """What the bands are, in words; the layer must be built.

        Example:

        >>> encoding = FourierEncoding(3)
        >>> encoding.build((None, 28, 28, 1))
        >>> print(encoding.explain())
        axis 0, resolution 28: 3 bands of 1, 7.5 and 14 waves; the shortest is 2 of 28 samples long
        axis 1, resolution 28: 3 bands of 1, 7.5 and 14 waves; the shortest is 2 of 28 samples long
        channels: 2 positions, 6 sines, 6 cosines, together 14
        """
        if not self.built:
            raise ValueError("The layer must be built before its bands are known.")
        lines = []
        for axis, resolution in enumerate(self.resolution):
            waves = [f"{wave:.4g}" for wave in self.frequencies(axis)]
            shown = waves if len(waves) <= 6 else [*waves[:2], "...", waves[-1]]
            shown = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
            length = resolution / self.frequencies(axis)[-1]
            lines.append(
                f"axis {axis}, resolution {resolution}: {self.num_bands} "
                f"band{'s' if self.num_bands > 1 else ''} of {shown} wave"
                f"{'s' if self.num_bands > 1 else ''}; the shortest is {length:.4g} of "
                f"{resolution} samples long"
            )
        axes = len(self.resolution)
        kinds = [f"{axes} positions"] if self.concat_pos else []
        kinds += [f"{axes * self.num_bands} sines"]
        kinds += [] if self.sine_only else [f"{axes * self.num_bands} cosines"]
        lines.append(f"channels: {', '.join(kinds)}, together {self.num_features(axes)}")
        return "\n".join(lines)

    def num_features(self, num_axes):
        """Width of the encoding of positions with `num_axes` axes."""
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


def _arange(size):
    return ops.arange(size, dtype="int64")


def require_encoding(name, value):
    """Raises ValueError unless `value` is a `FourierEncoding`."""
    if not isinstance(value, FourierEncoding):
        raise ValueError(f"`{name}` must be a `FourierEncoding`. Received: {name}={value!r}")
