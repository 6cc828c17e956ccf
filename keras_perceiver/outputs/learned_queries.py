"""Outputs whose queries are learned."""

from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.part_cost import PartCost
from keras_perceiver.outputs.output import Output


class LearnedQueries(Output):
    """Base of outputs whose queries are a learned array, by default as wide as the latents.

    Subclasses have an argument `query_dim` and set `num_queries`.
    """

    query_dim = None

    def bind(self):
        self.query_dim = self.query_dim or self.latent_dim

    def make_query_layer(self, dtype):
        name = f"{self.name}_queries" if self.num_queries != 1 else f"{self.name}_query"
        return LearnedArray(self.num_queries, self.query_dim, name=name, dtype=dtype)

    def query_cost(self):
        size = self.num_queries * self.query_dim
        return PartCost(parameters=size, kept=size)
