"""What every output description has in common."""

import keras

from keras_perceiver.outputs.output_head import OutputHead


class Output:
    """One task out: what to query, how to read the answer, its default loss and metrics.

    A description holds its arguments only; the layers it makes belong to the model. `name` is the
    name of the output, `readers` the model's input layers by name.

    Subclasses set `kind` (the name used when there is only one output), keep every argument of
    `__init__` under its own name, and return them from `get_config`.
    """

    kind = "output"
    pools_latents = False  # True: the head reads the mean of the latents, there are no queries
    num_decoded = None  # so many queries of each example, at indices given as a further input

    def check(self, name, readers):
        """Raises ValueError where this output does not fit the model's inputs."""

    def sources(self, name, readers):
        """Symbolic inputs besides the latents that the queries are made of, by name."""
        if self.num_decoded is None:
            return {}
        key = f"{name}_indices"
        return {key: keras.Input((self.num_decoded,), dtype="int32", name=key)}

    def query_layer(self, name, readers, latent_dim, dtype):
        """Layer that makes the queries from any batched array, or None if `queries` needs none."""
        raise NotImplementedError

    def queries(self, layer, name, readers, latents, sources, indices=None):
        """Symbolic queries `(batch, num_queries, query_dim)`; `indices` asks for some of them."""
        if indices is None:
            indices = sources.get(f"{name}_indices")
        return layer(latents) if indices is None else layer(latents, indices=indices)

    def queries_apart(self, layer, name, readers, latents, sources):
        """Symbolic features `(batch, *grid, channels)` of the queries and the `FourierEncoding` of
        their positions, where they can be kept apart; otherwise None."""
        return None

    def query_mask(self, name, readers, sources, queries):
        """Symbolic booleans `(batch, num_queries)`, or None if every query is asked."""
        return None

    def num_queries(self, name, readers, raw):
        """How many queries there are in all, for arrays `raw` by name of input."""
        raise NotImplementedError

    def target_shape(self, readers):
        """Shape of one example's result, or None for one row for each query."""
        return None

    @property
    def output_dim(self):
        """Values for each query."""
        raise NotImplementedError

    def head_layer(self, name, readers, dtype):
        """Layer from decoded queries to this output's values."""
        target_shape = None if self.num_decoded else self.target_shape(readers)
        return OutputHead(self.output_dim, target_shape, name=f"{name}_head", dtype=dtype)

    def answer(self, layer, name, readers, decoded, flat=False):
        """Symbolic values from that layer; `flat` leaves one row for each query."""
        return layer(decoded, flat=True) if flat else layer(decoded)

    def default_loss(self):
        raise NotImplementedError

    def metrics(self):
        """The default metrics, a list."""
        return []

    def get_config(self):
        raise NotImplementedError

    @classmethod
    def from_config(cls, config):
        return cls(**config)
