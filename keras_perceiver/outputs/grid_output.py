"""Outputs whose queries are the cells of a grid."""

import math

from keras_perceiver.layers.local_kernels import numbers
from keras_perceiver.layers.places import Places, sample
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


class GridOutput(ValuesOrClasses):
    """Base of outputs whose queries are the Fourier features of the cells of a grid.

    Subclasses implement `grid_queries`, which makes the `GridQueries` layer.
    """

    def grid_queries(self, dtype=None):
        raise NotImplementedError

    def make_query_layer(self, dtype):
        return self.grid_queries(dtype)

    @property
    def query_grid(self):
        """Sizes of the grid of queries. Default: `grid`."""
        return self.grid

    @property
    def grid_apart(self):
        one_axis = len(self.query_grid) < 2
        return None if one_axis or self.num_decoded is not None else (self.query_grid, 0)

    @property
    def num_queries(self):
        return math.prod(self.query_grid)

    @property
    def query_dim(self):
        return self.grid_queries().query_dim

    def places(self, random, count):
        indices = sample(random, self.num_queries, count)
        found = self.query_layer.encoding.encode_indices(indices[None], self.query_grid)
        return Places.of_cells(numbers(found)[0], indices, self.query_grid)

    def asks_apart(self, latents, sources):
        if len(self.query_layer.grid) < 2:
            return None
        return self.query_layer(latents, joined=False), self.query_layer.encoding
