"""Cross-attention of queries whose Fourier positions are separate from their features."""

import math

import keras
from keras import ops

from keras_perceiver.layers.attend_from_grid import attend_from_grid
from keras_perceiver.layers.cross_attention import CrossAttention
from keras_perceiver.layers.fourier_encoding import require_encoding
from keras_perceiver.layers.layer_norm import EPSILON
from keras_perceiver.layers.normalized_grid import NormalizedGrid
from keras_perceiver.layers.precision import wide


@keras.saving.register_keras_serializable(package="keras_perceiver")
class SeparableQueryAttention(CrossAttention):
    """`CrossAttention` with one head whose queries are the cells of a grid, at less cost.

    It gives the same results with the same weights, but takes the queries in parts: features on a
    grid, and the encoding of the grid. Keys are multiplied with the query kernel and values with
    the output kernel, so that neither normalised nor projected queries are materialised. Scores are
    sums of one term for each axis, and a few rows of the grid are processed at a time.

    Args:
        position: The `FourierEncoding` of the grid.
        **kwargs: As in `CrossAttention`; `num_heads` must be 1 and `attention_dropout` 0.

    Call arguments:
        query: Features `(batch, *grid, channels)`; there may be 0 channels. Or an array
            `(batch, num_queries, query_dim)` that includes positions, which uses plain attention.
        value: Array of shape `(batch, num_inputs, value_dim)`.
        query_mask: Optional booleans `(batch, num_queries)`, True = may attend.
        value_mask: Optional booleans `(batch, num_inputs)`, True = may be attended.
        return_attention_scores: If True, the attention weights are returned as well, which needs
            the memory of plain attention.

    Returns:
        As `CrossAttention`.

    Raises:
        ValueError: if there is more than one head or dropout of attention weights.

    Example:

    >>> layer = SeparableQueryAttention(FourierEncoding(64, (368, 496)), use_query_residual=False)
    >>> layer(frames, latents).shape  # frames (1, 368, 496, 64), latents (1, 2048, 512)
    (1, 182528, 322)

    Reference: the same function as Perceiver IO (arXiv 2107.14795), section 3.2.
    """

    def __init__(self, position, **kwargs):
        kwargs.setdefault("autocast", False)  # mean and variance of queries are taken in float32
        super().__init__(**kwargs)
        self._require_one_head()
        require_encoding("position", position)
        config = keras.saving.serialize_keras_object(position)
        self.position = keras.saving.deserialize_keras_object(config)

    def build(self, query_shape, value_shape):
        self.position.build(query_shape)
        self.query_dim = query_shape[-1] + self.position.num_features(len(query_shape) - 2)
        super().build((query_shape[0], None, self.query_dim), value_shape)

    def call(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        return_attention_scores=False,
        training=None,
    ):
        value = ops.cast(value, self.compute_dtype)
        joined = len(query.shape) == 3 and query.shape[-1] == self.query_dim
        quantized = self._quantized()
        masked = value_mask is not None
        masked = masked or (query_mask is not None and self.masked_rows == "uniform")
        if joined or quantized or masked or return_attention_scores:
            query = query if joined else self.join(query)
            return super().call(
                ops.cast(query, self.compute_dtype),
                value,
                query_mask=query_mask,
                value_mask=value_mask,
                return_attention_scores=return_attention_scores,
                training=training,
            )
        query_shape = (query.shape[0], self._num_queries(query))
        self._check_masks(query_shape, value.shape[:2], query_mask, value_mask)
        read = self._read(query, value, query_mask)
        joined = ops.cast(self.join(query), read.dtype) if self.use_query_residual else None
        return self._after_reading(joined, read, training)

    def _read(self, query, value, query_mask):
        layers = self.attention
        kernel, bias, gamma, beta, output_kernel, output_bias = [
            wide(ops.convert_to_tensor(weight))
            for weight in (
                layers.query_layer.kernel,
                layers.query_layer.bias,
                self.query_norm.gamma,
                self.query_norm.beta,
                layers.output_layer.kernel,
                layers.output_layer.bias,
            )
        ]
        value = self.value_norm(value)
        keys = wide(layers.key_layer(value)) * kernel.shape[-1] ** -0.5
        values = wide(layers.value_layer(value))
        # Query times key is the normalised cell times the folded key, plus a term that depends only
        # on the key.
        folded = ops.matmul(keys, ops.transpose(kernel))
        key_bias = ops.matmul(folded, beta[:, None])[..., 0]
        key_bias = key_bias + ops.matmul(keys, bias[:, None])[..., 0]
        # The output kernel is applied before or after the weighted sum, whichever is cheaper.
        narrower = output_kernel.shape[1] <= output_kernel.shape[0]
        values = ops.matmul(values, output_kernel) if narrower else values
        grid = NormalizedGrid(query, self.position, epsilon=EPSILON)
        of_features, rows, columns = grid.dot(folded * gamma)
        read = attend_from_grid(
            of_features, rows, columns, key_bias, values, grid.features, grid.scale
        )
        if query_mask is not None:
            read = read * ops.cast(query_mask, read.dtype)[..., None]
        read = read if narrower else ops.matmul(read, output_kernel)
        return ops.cast(read + output_bias, self.compute_dtype)

    def join(self, query):
        """Features and positions as one array `(batch, num_queries, query_dim)`."""
        batch, *grid, channels = ops.shape(query)
        positions = self.position(query)
        features = ops.reshape(query, (batch, math.prod(grid), channels))
        features = ops.cast(features, positions.dtype)
        return ops.concatenate([features, positions], axis=-1)

    def _num_queries(self, query):
        grid = query.shape[1:-1]
        return None if None in grid else math.prod(grid)

    def compute_output_spec(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        return_attention_scores=False,
        **kwargs,
    ):
        joined = len(query.shape) == 3 and query.shape[-1] == self.query_dim
        length = query.shape[1] if joined else self._num_queries(query)
        self._check_masks((query.shape[0], length), value.shape[:2], query_mask, value_mask)
        shape = (query.shape[0], length, self.query_dim)
        outputs = keras.KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return outputs
        scores = (query.shape[0], 1, length, value.shape[1])
        return outputs, keras.KerasTensor(scores, self.compute_dtype)

    def get_config(self):
        position = keras.saving.serialize_keras_object(self.position)
        return {**super().get_config(), "position": position}

    @classmethod
    def from_config(cls, config):
        position = keras.saving.deserialize_keras_object(config["position"])
        return cls(**{**config, "position": position})
