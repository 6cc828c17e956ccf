"""Queries made of the positions of a grid's cells."""

import math

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.fourier_encoding import FourierEncoding


@keras.saving.register_keras_serializable(package="keras_perceiver")
class GridQueries(keras.layers.Layer):
    """The Fourier features of all cells of a grid, or of selected cells.

    Args:
        grid: Sizes of the grid.
        num_bands, max_resolution, concat_pos, sine_only, endpoint: See `FourierEncoding`.

    Call arguments:
        inputs: Any array whose first axis is the batch; only its batch size is used.
        joined: If False, the result is an array `(batch, *grid, 0)` without features;
            `SeparableQueryAttention` adds the positions.
        indices: Optional whole numbers `(batch, n)`: only these cells, in row-major order.

    Returns:
        Array of shape `(batch, number of cells, features)` or `(batch, n, features)`, or with
        `joined=False` `(batch, *grid, 0)`.
    """

    def __init__(
        self,
        grid,
        num_bands,
        max_resolution=None,
        concat_pos=True,
        sine_only=False,
        endpoint=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.grid = arguments.sizes("grid", grid)
        self.encoding = FourierEncoding(
            num_bands,
            max_resolution or self.grid,
            concat_pos=concat_pos,
            sine_only=sine_only,
            endpoint=endpoint,
            dtype=self.dtype_policy,
            name="fourier",
        )

    @property
    def query_dim(self):
        """Width of each query."""
        return self.encoding.num_features(len(self.grid))

    def build(self, input_shape):
        self.encoding.build((None, *self.grid, 1))

    def call(self, inputs, indices=None, joined=True):
        if not joined:
            return ops.zeros((ops.shape(inputs)[0], *self.grid, 0), dtype=self.compute_dtype)
        if indices is not None:
            return self.encoding.encode_indices(indices, self.grid)
        encoded = self.encoding.encode_grid(self.grid)
        return ops.broadcast_to(encoded[None], (ops.shape(inputs)[0], *encoded.shape))

    def compute_output_spec(self, inputs, indices=None, joined=True):
        if not joined:
            return keras.KerasTensor((inputs.shape[0], *self.grid, 0), self.compute_dtype)
        length = math.prod(self.grid) if indices is None else indices.shape[1]
        return keras.KerasTensor((inputs.shape[0], length, self.query_dim), self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "grid": self.grid,
            "num_bands": self.encoding.num_bands,
            "max_resolution": self.encoding.max_resolution,
            "concat_pos": self.encoding.concat_pos,
            "sine_only": self.encoding.sine_only,
            "endpoint": self.encoding.endpoint,
        }
