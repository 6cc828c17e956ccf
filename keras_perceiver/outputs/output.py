"""What every output description has in common."""


class Output:
    """One task out: what to query, how to read the answer, its default loss and metrics.

    A description holds its arguments only; the layers it makes belong to the model.

    Subclasses set `kind` (the name used when there is only one output) and implement the methods
    below. Every argument of `__init__` is kept under its own name, and `get_config` returns them.
    """

    kind = "output"
    pools_latents = False  # True: the head reads the mean of the latents, there are no queries

    def check(self, name, readers):
        """Raises ValueError where this output, called `name`, does not fit the model's inputs."""

    def sources(self, name, readers):
        """Symbolic inputs besides the latents that the queries are made of, by name."""
        return {}

    def query_layer(self, name, readers, latent_dim, dtype):
        """Layer that makes the queries, or None if they come from the inputs themselves."""
        raise NotImplementedError

    def queries(self, layer, name, readers, latents, sources):
        """Symbolic queries `(batch, num_queries, query_dim)` from that layer."""
        return layer(latents)

    def head_layer(self, name, readers, dtype):
        """Layer from decoded queries to this output's values."""
        raise NotImplementedError

    def answer(self, layer, name, readers, decoded):
        """Symbolic values from that layer."""
        return layer(decoded)

    def loss(self):
        """The default loss."""
        raise NotImplementedError

    def metrics(self):
        """The default metrics, a list."""
        return []

    def get_config(self):
        raise NotImplementedError

    @classmethod
    def from_config(cls, config):
        return cls(**config)
