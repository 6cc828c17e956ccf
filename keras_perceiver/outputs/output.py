"""The base class of all output descriptions."""

import copy

import keras
from keras import ops

from keras_perceiver.inputs.request_limits import RequestLimits
from keras_perceiver.layers.part_cost import PartCost, dense
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.queries import Queries


class Output:
    """One output of a model: its queries, its shape, its default loss and metrics.

    This is the base class of all output descriptions, including your own. A description holds only
    its arguments. A model is built from bound copies: they know their `name`, the model's bound
    `inputs` by name and its `latent_dim`, and they hold the layers of this output.

    A subclass stores every argument of `__init__` under its own name, returns them from
    `get_config`, and is registered with Keras. It defines the number of queries (`num_queries`),
    their width (`query_dim`), the number of values per query (`output_dim`) and the shape of the
    output (`shape`), and makes the layer that computes the queries (`make_query_layer`).

    Example:

    >>> @keras.saving.register_keras_serializable("my_package")
    ... class Quantiles(kp.Output):
    ...     kind = "quantiles"
    ...     num_queries = 1
    ...
    ...     def __init__(self, levels):
    ...         self.levels = levels
    ...
    ...     query_dim = property(lambda self: self.latent_dim)
    ...     output_dim = property(lambda self: len(self.levels))
    ...     shape = property(lambda self: (len(self.levels),))
    ...
    ...     def make_query_layer(self, dtype):
    ...         return kp.LearnedArray(1, self.query_dim, dtype=dtype, name=f"{self.name}_query")
    ...
    ...     def default_loss(self):
    ...         return PinballLoss(self.levels)
    ...
    ...     def get_config(self):
    ...         return {"levels": self.levels}

    Reference: Perceiver IO (arXiv 2107.14795), section 3.2.
    """

    name = inputs = latent_dim = None  # set on bound copies
    kind = "output"  # name of the output if the model has only one
    pools_latents = False  # True: the head takes the mean of the latents, and there are no queries
    num_decoded = None  # number of queries per example, if their indices are a further input
    num_classes = None  # number of classes at each query, if the values are logits
    shaped_by = None  # name of the input whose size determines the shape of this output

    # Properties and methods that subclasses override. They are used on bound copies.

    def bind(self):
        """Called once on a bound copy, to set attributes that depend on the model.

        Raises:
            ValueError: if this output does not fit the model's inputs.
        """

    @property
    def num_queries(self):
        """Total number of queries, or None if known only at call time."""
        raise NotImplementedError

    @property
    def query_dim(self):
        """Width of each query."""
        raise NotImplementedError

    @property
    def output_dim(self):
        """Number of values for each query, in the result of `rows`."""
        raise NotImplementedError

    @property
    def shape(self):
        """Shape of one example's output. Default: one row for each query."""
        return (self.num_queries, self.output_dim)

    grid_apart = None  # (grid, channels without positions) of the queries of `asks_apart`, if any
    rows_stand_alone = True  # False: `rows` combines all queries, which chunks cannot

    @property
    def answers_stand_alone(self):
        """Whether single queries can be answered; if not, `decode` takes no `indices`."""
        return self.rows_stand_alone

    def make_query_layer(self, dtype):
        """Layer that computes the queries from any batched array, or only those at `indices=`."""
        raise NotImplementedError

    def make_head(self, dtype):
        """Layer that maps decoded queries to rows of values."""
        return OutputHead(self.output_dim, name=f"{self.name}_head", dtype=dtype)

    def default_loss(self):
        raise NotImplementedError

    def metrics(self):
        """The default metrics, a list."""
        return []

    def sources(self):
        """Symbolic inputs, besides the latents, from which the queries are computed, by name."""
        if self.num_decoded is None:
            return {}
        key = f"{self.name}_indices"
        return {key: keras.Input((self.num_decoded,), dtype="int32", name=key)}

    def num_queries_of(self, raw):
        """Total number of queries for `raw`, the model's inputs by name."""
        return self.num_queries

    def query_cost(self):
        """`PartCost` of the queries of one example. Default: no weights, no matrix products."""
        return PartCost(kept=self.rows_asked * self.query_dim)

    def head_cost(self, width):
        """`PartCost` of the head for decoded queries of this width."""
        return dense(self.rows_asked, width, self.output_dim)

    def opened(self):
        """A description in which every size that no weight depends on is open, or `self`."""
        return self

    def request_limits(self, max_growth):
        """{name of a source: RequestLimits}, for sizes up to `max_growth` times the built ones."""
        if self.num_decoded is None:
            return {}
        sizes = (self.num_decoded,)
        return {f"{self.name}_indices": RequestLimits(sizes, sizes, below=self.num_queries)}

    def places(self, random, count):
        """`Places` of at most `count` queries, once the layers are made and built.

        Attention from them starts local. Default: None, for queries without positions.
        """
        return None

    def start_locally(self):
        """Gives learned queries initial values that tell places apart. Default: nothing."""

    # Methods that a model calls.

    def bound(self, name, inputs, latent_dim):
        """A copy for a model with these `inputs`, in which this output has this name."""
        output = copy.copy(self)
        output.name, output.inputs, output.latent_dim = name, inputs, latent_dim
        output.bind()
        return output

    def make_layers(self, dtype):
        """Makes the layers of this output, once."""
        if self.pools_latents:
            name = f"{self.name}_mean"
            self.pooling_layer = keras.layers.GlobalAveragePooling1D(name=name, dtype=dtype)
        else:
            self.query_layer = self.make_query_layer(dtype)
        self.head_layer = self.make_head(dtype)

    def asks(self, latents, sources, indices=None):
        """The `Queries`, from symbolic latents and `sources`; with `indices` only some of them."""
        if indices is None:
            indices = sources.get(f"{self.name}_indices")
        if indices is not None:
            return Queries(self.query_layer(latents, indices=indices))
        return Queries(self.query_layer(latents), apart=self.asks_apart(latents, sources))

    def asks_apart(self, latents, sources):
        """See `Queries.apart`; None if positions cannot be kept separate from features."""
        return None

    def rows(self, decoded, queries=None):
        """Values from decoded queries, one row for each of the `Queries`."""
        return self.head_layer(decoded)

    def shaped(self, rows):
        """The rows of the queries of a training step in the shape of the output."""
        if self.num_decoded is None:
            return self.arranged(rows)
        return _reshaped(rows, self.asked_shape, ops)

    def arranged(self, rows, library=ops):
        """The rows of all queries in the shape of the output.

        Args:
            rows: Array `(batch, num_queries, output_dim)`.
            library: `keras.ops`, or NumPy for its arrays.
        """
        return _reshaped(rows, self.shape, library)

    @property
    def asked_shape(self):
        """Shape of one example's output in training, where only some queries may be decoded."""
        return self.shape if self.num_decoded is None else (self.num_decoded, self.output_dim)

    @property
    def rows_asked(self):
        """Number of queries of one example in training."""
        if self.pools_latents:
            return 1
        return self.num_decoded or self.num_queries

    def get_config(self):
        raise NotImplementedError

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _reshaped(rows, shape, library):
    if None in shape or tuple(rows.shape[1:]) == tuple(shape):
        return rows
    return library.reshape(rows, (-1, *shape))
