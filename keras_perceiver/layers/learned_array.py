"""A learned table of vectors: latents, output queries, position tables."""

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.initializers import array_init, get_initializer
from keras_perceiver.layers.places import Places, sinusoids
from keras_perceiver.layers.take_rows import take_rows

ROWS = 16384  # sinusoids computed at once: in double precision they take five times their memory


@keras.saving.register_keras_serializable(package="keras_perceiver")
class LearnedArray(keras.layers.Layer):
    """A trainable array, repeated for each example of the batch.

    It is used for the latent array, the output queries of a classifier and the learned position
    encodings of both papers.

    Args:
        length: Number of vectors (`num_latents`, `num_queries`, number of positions).
        dim: Width of each vector.
        initializer: Default: a normal with stddev 0.02, truncated at two stddevs.
        truncate: Whether the result has the length of `inputs` (axis 1), for example for the
            positions of texts of any length up to `length`.

    Call arguments:
        inputs: Any array whose first axis is the batch; its values are not used.
        indices: Optional whole numbers `(batch, n)`: return only these vectors. In a graph, an
            index outside [0, length) gives NaN.

    Returns:
        Array of shape `(batch, length, dim)`, or `(batch, n, dim)`.

    Raises:
        ValueError: if `length` or `dim` is not a whole number of at least 1, or a known index is
            out of range.

    Example:

    >>> LearnedArray(512, 1024)(keras.ops.zeros((2, 50176, 261))).shape
    (2, 512, 1024)

    Reference: Perceiver (arXiv 2103.03206), section 3.1 and appendix C.
    """

    def __init__(self, length, dim, initializer=None, truncate=False, **kwargs):
        super().__init__(**kwargs)
        self.length = arguments.whole_number("length", length)
        self.dim = arguments.whole_number("dim", dim)
        initializer = array_init() if initializer is None else initializer
        self.initializer = get_initializer("initializer", initializer)
        self.truncate = arguments.flag("truncate", truncate)

    def build(self, input_shape):
        self.table = self.add_weight(
            shape=(self.length, self.dim), initializer=self.initializer, name="table"
        )

    def tell_places_apart(self, grid, scale=1.0):
        """Sets the vectors to sinusoids of that scale of the cells of a grid, in its order."""
        table = np.empty((self.length, self.dim), "float32")
        for rows in np.split(np.arange(self.length), range(ROWS, self.length, ROWS)):
            cells = Places.of_cells(None, rows, grid)
            table[rows] = scale * sinusoids(cells.coordinates, self.dim, grid)
        self.table.assign(table)

    def call(self, inputs, indices=None):
        table = ops.cast(self.table, self.compute_dtype)
        if indices is not None:
            return take_rows(table, indices)
        batch, length = ops.shape(inputs)[0], self.length
        if self.truncate:
            length = ops.shape(inputs)[1]
            if isinstance(length, int) and length > self.length:
                raise ValueError(
                    f"`inputs` must be at most {self.length} long, the length of the learned "
                    f"array. Received: inputs of shape {tuple(inputs.shape)}"
                )
            table = table[:length]
        return ops.broadcast_to(table[None], (batch, length, self.dim))

    def compute_mask(self, inputs, previous_mask):
        return None

    def compute_output_spec(self, inputs, indices=None):
        length = inputs.shape[1] if self.truncate else self.length
        if indices is not None:
            length = indices.shape[1]
        return keras.KerasTensor((inputs.shape[0], length, self.dim), self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "length": self.length,
            "dim": self.dim,
            "initializer": keras.initializers.serialize(self.initializer),
            "truncate": self.truncate,
        }
