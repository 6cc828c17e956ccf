"""Outputs whose queries are learned."""

from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.part_cost import PartCost, dense
from keras_perceiver.outputs.output import Output
from keras_perceiver.outputs.output_head import OutputHead


class LearnedQueries(Output):
    """Base of outputs whose queries are a learned array, by default as wide as the latents.

    Subclasses have an argument `query_dim` and set `num_queries`; those with a dense tanh layer
    before the last layer have an argument `hidden_dim`.
    """

    query_dim = None
    hidden_dim = None
    head_initializer = None  # of the last layer's kernel; see `OutputHead`

    def bind(self):
        self.query_dim = self.query_dim or self.latent_dim

    def make_query_layer(self, dtype):
        name = f"{self.name}_queries" if self.num_queries != 1 else f"{self.name}_query"
        return LearnedArray(self.num_queries, self.query_dim, name=name, dtype=dtype)

    def query_cost(self):
        size = self.num_queries * self.query_dim
        return PartCost(parameters=size, kept=size)

    def make_head(self, dtype):
        return OutputHead(
            self.output_dim,
            hidden_dim=self.hidden_dim,
            kernel_initializer=self.head_initializer,
            name=f"{self.name}_head",
            dtype=dtype,
        )

    def head_cost(self, width):
        if self.hidden_dim is None:
            return super().head_cost(width)
        rows = self.num_queries
        return dense(rows, width, self.hidden_dim) + dense(rows, self.hidden_dim, self.output_dim)
