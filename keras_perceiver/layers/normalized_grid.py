"""Layer-normalised inputs on a grid, which are never materialised."""

import math

from keras import ops

from keras_perceiver.layers import slices
from keras_perceiver.layers.precision import wide

LONGEST_ROW = 2**14  # cells without positions are arranged in rows of at most this length


class NormalizedGrid:
    """Vectors `[features; Fourier positions; padding]` of every cell, layer-normalised.

    Each position channel depends on one axis and the padding on none. So a dot product with all
    cells is the sum of a dot product with the features and one with a small table for each axis;
    the same holds for weighted sums over cells. The caller applies `gamma` and `beta` of the
    normalisation.

    The features of a cell are stored as their mean and the differences from the mean. The variance
    is a sum of squares around means and not a difference of two large numbers, so features may have
    a large common offset.

    Args:
        features: Floats `(batch, *grid, channels)`; there may be 0 channels.
        encoding: A built `FourierEncoding` of the grid, or None for cells without positions.
        padding: Floats `(padding,)` at the end of every vector, or None.
        mask: Optional booleans `(batch, cells)`, False = may not be attended.
        epsilon: Epsilon of the layer normalisation.

    Attributes:
        features: Floats `(batch, cells, k)`, for dot products and weighted sums.
        scale: One over the standard deviation of each cell, `(batch, cells)`.
        rows, columns: Sizes of the grid as a matrix.
    """

    def __init__(self, features, encoding=None, padding=None, mask=None, epsilon=1e-5):
        features = wide(features)
        self.channels = features.shape[-1]
        self.grid = ops.shape(features)[1:-1]
        self.encoding, self.mask = encoding, mask
        self.padding = None if padding is None else ops.cast(padding, features.dtype)
        self.tables = []
        if encoding is not None:
            self.tables = [ops.cast(t, features.dtype) for t in encoding.axis_tables(self.grid)]
        else:
            features = self._in_rows(features)
        self.rows, self.columns = math.prod(self.grid[:-1]), self.grid[-1]
        # Not "-1" for the batch, which is ambiguous if there are 0 channels.
        shape = (ops.shape(features)[0], math.prod(self.grid), self.channels)
        if not self.channels and slices.are_wanted():  # ONNX cannot reshape to 0 channels
            cells = ops.zeros(shape, features.dtype)
        else:
            cells = ops.reshape(features, shape)
        self._normalize(cells, epsilon)

    def _in_rows(self, features):
        """Arranges cells without positions, whose order is free, in rows of limited length."""
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

    @property
    def _alone(self):
        """Whether the vectors consist only of features."""
        return not self.tables and self.padding is None

    def _normalize(self, cells, epsilon):
        parts = []  # (width, mean, sum of squares around the mean) of each part of the vectors
        if self.channels:
            mean = ops.mean(cells, axis=-1, keepdims=True)
            cells = cells - mean
            rest = ops.mean(cells, axis=-1)  # rounding error of a large mean
            squares = ops.sum(ops.square(cells), axis=-1) - self.channels * ops.square(rest)
            parts.append((self.channels, mean[..., 0], squares))
            # The mean is one more feature. If there are only features, normalisation removes it.
            cells = cells if self._alone else ops.concatenate([cells, mean], axis=-1)
        if self.tables:
            width = sum(table.shape[-1] for table in self.tables)
            mean = _at_cells([ops.sum(table, axis=-1) for table in self.tables]) / width
            squares = _at_cells([ops.sum(ops.square(table), axis=-1) for table in self.tables])
            # Features of positions are in [-1, 1], so the difference of squares is exact enough.
            parts.append((width, mean, ops.maximum(squares - width * ops.square(mean), 0.0)))
        if self.padding is not None:
            mean = ops.mean(self.padding)
            squares = ops.sum(ops.square(self.padding - mean))
            parts.append((self.padding.shape[-1], mean, squares))
        total = sum(width * mean for width, mean, _ in parts) / self.width
        squares = sum(own for _, _, own in parts)
        if len(parts) > 1:
            apart = (width * ops.square(mean - total) for width, mean, _ in parts)
            squares = squares + sum(apart)
        scale = ops.rsqrt(squares / self.width + epsilon)
        self.scale = ops.broadcast_to(scale, ops.shape(cells)[:-1])
        self.features = cells

    @property
    def width(self):
        """Length of the vectors."""
        width = self.channels
        if self.encoding is not None:
            width += self.encoding.num_features(len(self.grid))
        return width + (0 if self.padding is None else self.padding.shape[-1])

    def dot(self, vectors):
        """The terms of the dot products of vectors `(batch, n, width)` with all cells.

        Returns:
            Three arrays: `(batch, n, k)`, to be multiplied with `features`, and the terms of the
            rows and the columns of the grid, `(batch, n, rows)` and `(batch, n, columns)`. Their
            sum times `scale` is the dot product with the normalised cell.
        """
        vectors = vectors - ops.mean(vectors, axis=-1, keepdims=True)
        c = self.channels
        of_features = vectors[..., :c]
        if c and not self._alone:
            total = ops.sum(of_features, axis=-1, keepdims=True)
            of_features = ops.concatenate([of_features, total], axis=-1)
        constant = 0.0
        if self.padding is not None:
            size = self.padding.shape[-1]
            constant = ops.matmul(vectors[..., -size:], self.padding[:, None])
        none = ops.zeros_like(vectors[..., :1])
        if not self.tables:
            rows = ops.broadcast_to(none, (*ops.shape(none)[:-1], self.rows))
            columns = ops.broadcast_to(none, (*ops.shape(none)[:-1], self.columns))
            return of_features, rows + constant, columns
        axes = len(self.tables)
        of_axes = self.encoding.split(vectors[..., c : c + self.encoding.num_features(axes)], axes)
        added = [
            ops.matmul(numbers, ops.transpose(table))
            for numbers, table in zip(of_axes, self.tables)
        ]
        rows = _at_cells(added[:-1]) if axes > 1 else none
        return of_features, rows + constant, added[-1]

    def weighted(self, sums):
        """Weighted sums of normalised cells, from the sums of `attend_to_grid`.

        Args:
            sums: Floats `(batch, n, k + rows + columns)`, with weights that include `scale`.

        Returns:
            Floats `(batch, n, width)`.
        """
        c, k = self.channels, self.features.shape[-1]
        of_rows, of_columns = sums[..., k : k + self.rows], sums[..., k + self.rows :]
        parts = [sums[..., :c] + sums[..., c:k]] if k > c else [sums[..., :c]]
        if self.tables:
            parts.append(self._positions(of_rows, of_columns))
        if self.padding is not None:
            parts.append(ops.sum(of_rows, -1, keepdims=True) * self.padding)
        found = ops.concatenate(parts, axis=-1)
        return found - ops.mean(found, axis=-1, keepdims=True)

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
        return self.encoding.join(read)


def _at_cells(of_axes):
    """Sums numbers `(..., size)` of each axis for every cell of the grid, in row-major order."""
    lead, total = ops.shape(of_axes[0])[:-1], 0.0
    for axis, numbers in enumerate(of_axes):
        shape = [1] * len(of_axes)
        shape[axis] = ops.shape(numbers)[-1]
        total = total + ops.reshape(numbers, (*lead, *shape))
    return ops.reshape(total, (*lead, math.prod(ops.shape(a)[-1] for a in of_axes)))
