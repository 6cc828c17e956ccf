"""Layer-normalised inputs on a grid, without ever writing them out."""

import math

import numpy as np
from keras import ops

LONGEST_ROW = 2**14  # cells without positions are laid out in rows of at most this many


class NormalizedGrid:
    """Vectors `[features; Fourier positions; padding]` of every cell, layer-normalised.

    Positions depend on one axis each and the padding on none, so a dot product with all cells is
    the sum of one with the features and one with a small table for each axis; likewise a weighted
    sum over cells. `gamma` and `beta` of the normalisation are left to the caller.

    Args:
        features: Floats `(batch, *grid, channels)`.
        encoding: A built `FourierEncoding` of the grid, or None for cells without positions.
        padding: Floats `(padding,)` that end every vector, or None.
        mask: Optional booleans `(batch, cells)`, False = not to be read.
        epsilon: Of the layer normalisation.
    """

    def __init__(self, features, encoding=None, padding=None, mask=None, epsilon=1e-5):
        features = ops.cast(features, "float32")
        self.channels = features.shape[-1]
        self.grid = ops.shape(features)[1:-1]
        self.encoding, self.mask = encoding, mask
        self.padding = None if padding is None else ops.cast(padding, "float32")
        self.tables = []
        if encoding is not None:
            parts = self._used(encoding.axis_tables(self.grid))
            self.tables = [ops.cast(ops.concatenate(part, -1), "float32") for part in parts]
        else:
            features = self._in_rows(features)
        self.rows, self.columns = math.prod(self.grid[:-1]), self.grid[-1]
        # The batch is named, as there may be no channels, and "-1" would say nothing then.
        shape = (ops.shape(features)[0], math.prod(self.grid), self.channels)
        self._normalize(ops.reshape(features, shape), epsilon)

    def _in_rows(self, features):
        """Cells without positions may be laid out at will: in rows that are not too long."""
        self.num_cells = math.prod(self.grid)
        self.grid = (1, self.num_cells)
        if not isinstance(self.num_cells, int) or self.num_cells <= LONGEST_ROW:
            return features
        columns = math.isqrt(self.num_cells - 1) + 1
        self.grid = (-(-self.num_cells // columns), columns)
        missing = math.prod(self.grid) - self.num_cells
        if missing:
            features = ops.reshape(features, (-1, self.num_cells, self.channels))
            if self.mask is None:
                self.mask = ops.ones_like(features[..., 0], dtype="bool")
            features = ops.pad(features, [(0, 0), (0, missing), (0, 0)])
            self.mask = ops.pad(self.mask, [(0, 0), (0, missing)])
        return features

    def _used(self, parts):
        """The positions, sines and cosines of each axis, as far as the encoding has them."""
        wanted = (self.encoding.concat_pos, True, not self.encoding.sine_only)
        return [[table for table, use in zip(part, wanted) if use] for part in parts]

    def _normalize(self, cells, epsilon):
        width = self.width
        total, squares = ops.sum(cells, -1), ops.sum(ops.square(cells), -1)
        if self.padding is not None:
            total = total + ops.sum(self.padding)
            squares = squares + ops.sum(ops.square(self.padding))
        if self.tables:
            squared = [ops.square(table) for table in self.tables]
            total = total + _at_cells([ops.sum(table, -1) for table in self.tables])
            squares = squares + _at_cells([ops.sum(table, -1) for table in squared])
        mean = total / width
        self.scale = ops.rsqrt(squares / width - ops.square(mean) + epsilon)
        # The mean rides along as one more feature: what is read must be less the mean read.
        self.features = ops.concatenate([cells, mean[..., None]], axis=-1)

    @property
    def width(self):
        """Length of the vectors."""
        width = self.channels
        if self.encoding is not None:
            width += self.encoding.num_features(len(self.grid))
        return width + (0 if self.padding is None else self.padding.shape[-1])

    def dot(self, vectors):
        """What dot products with all cells are made of, for vectors `(batch, n, width)`.

        Returns:
            Three arrays: `(batch, n, channels + 1)` to be multiplied with `features`, and what
            the rows and the columns of the grid add, `(batch, n, rows)` and `(batch, n, columns)`.
            The sum times `scale` is the dot product with the normalised cell.
        """
        vectors = vectors - ops.mean(vectors, axis=-1, keepdims=True)
        of_features = ops.pad(vectors[..., : self.channels], [(0, 0), (0, 0), (0, 1)])
        constant = 0.0
        if self.padding is not None:
            size = self.padding.shape[-1]
            constant = ops.matmul(vectors[..., -size:], self.padding[:, None])
        none = ops.zeros_like(vectors[..., :1])
        if not self.tables:
            rows = ops.broadcast_to(none, (*ops.shape(none)[:-1], self.rows))
            columns = ops.broadcast_to(none, (*ops.shape(none)[:-1], self.columns))
            return of_features, rows + constant, columns
        of_axes = [
            ops.matmul(self._channels_of(axis, vectors), ops.transpose(table))
            for axis, table in enumerate(self.tables)
        ]
        rows = _at_cells(of_axes[:-1]) if len(of_axes) > 1 else none
        return of_features, rows + constant, of_axes[-1]

    def _channels_of(self, axis, vectors):
        """The entries of `vectors` that belong to the positions along one axis."""
        return ops.concatenate(
            [vectors[..., start:stop] for start, stop in self._slices(axis)], axis=-1
        )

    def _slices(self, axis):
        """Where the positions, sines and cosines of an axis lie in a vector."""
        axes, bands = len(self.grid), self.encoding.num_bands
        start, slices = self.channels, []
        if self.encoding.concat_pos:
            slices.append((start + axis, start + axis + 1))
            start += axes
        for _ in range(1 if self.encoding.sine_only else 2):
            slices.append((start + axis * bands, start + (axis + 1) * bands))
            start += axes * bands
        return slices

    def weighted(self, sums):
        """Sums of normalised cells, from `attend_to_grid`'s sums with weights times `scale`.

        Args:
            sums: Floats `(batch, n, channels + 1 + rows + columns)`.

        Returns:
            Floats `(batch, n, width)`.
        """
        c = self.channels
        of_rows, of_columns = sums[..., c + 1 : c + 1 + self.rows], sums[..., c + 1 + self.rows :]
        mean = sums[..., c : c + 1]
        parts = [sums[..., :c]]
        if self.tables:
            parts += self._positions(of_rows, of_columns)
        if self.padding is not None:
            parts.append(ops.sum(of_rows, -1, keepdims=True) * self.padding)
        return ops.concatenate(parts, axis=-1) - mean

    def _positions(self, of_rows, of_columns):
        of_axes = [of_columns]
        if len(self.tables) > 1:
            *lead, _ = ops.shape(of_rows)
            leading = ops.reshape(of_rows, (*lead, *self.grid[:-1]))
            axes = range(2, len(self.grid) + 1)
            of_axes = [
                ops.sum(leading, axis=[a for a in axes if a != axis]) if len(axes) > 1 else leading
                for axis in axes
            ] + of_axes
        read = [ops.matmul(numbers, table) for numbers, table in zip(of_axes, self.tables)]
        ends = np.cumsum([stop - start for start, stop in self._slices(0)])
        by_kind = []
        for start, end in zip((0, *ends), ends):
            by_kind += [positions[..., start:end] for positions in read]
        return by_kind


def _at_cells(of_axes):
    """Numbers `(..., size)` of each axis, summed for every cell of their grid, row by row."""
    lead, total = ops.shape(of_axes[0])[:-1], 0.0
    for axis, numbers in enumerate(of_axes):
        shape = [1] * len(of_axes)
        shape[axis] = ops.shape(numbers)[-1]
        total = total + ops.reshape(numbers, (*lead, *shape))
    return ops.reshape(total, (*lead, math.prod(ops.shape(a)[-1] for a in of_axes)))
