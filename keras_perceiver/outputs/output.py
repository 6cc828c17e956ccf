"""What every output description has in common."""

import copy

import keras
from keras import ops

from keras_perceiver.inputs.request_limits import RequestLimits
from keras_perceiver.layers.part_cost import PartCost, dense
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.queries import Queries


class Output:
    """One task out: what to query, how to read the answer, its default loss and metrics.

    This is the base of every output description, and of those you write. A description holds its
    arguments only. A model is built from copies that are bound to it: they know their `name`, the
    model's bound `inputs` by name and its `latent_dim`; they hold the layers of this output.

    A subclass keeps every argument of `__init__` under its own name, returns them from
    `get_config`, and is registered with Keras. It says how many queries there are (`num_queries`),
    how wide they are (`query_dim`), how many values each gives (`output_dim`) and which shape the
    answer has (`shape`), and makes the layer of its queries (`make_query_layer`).

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
    kind = "output"  # the name of the output where a model has only one
    pools_latents = False  # True: the head reads the mean of the latents, there are no queries
    num_decoded = None  # so many queries of each example, at indices given as a further input
    num_classes = None  # how many classes there are at each query, if these are logits
    shaped_by = None  # the name of the input that is asked about: its size shapes the answer

    # What a subclass says of itself. All of it is true of bound copies.

    def bind(self):
        """Called once on a bound copy: sets what only the model knows.

        Raises:
            ValueError: if this output does not fit the model's inputs.
        """

    @property
    def num_queries(self):
        """How many queries there are in all, or None if known only at call time."""
        raise NotImplementedError

    @property
    def query_dim(self):
        """Width of each query."""
        raise NotImplementedError

    @property
    def output_dim(self):
        """Values for each query."""
        raise NotImplementedError

    @property
    def shape(self):
        """Shape of one example's answer. Default: one row for each query."""
        return (self.num_queries, self.output_dim)

    rows_stand_alone = True  # False: the answer is made of the rows of all queries together

    def make_query_layer(self, dtype):
        """Layer that makes the queries from any batched array, or those at `indices=`."""
        raise NotImplementedError

    def make_head(self, dtype):
        """Layer from decoded queries to rows of values."""
        return OutputHead(self.output_dim, name=f"{self.name}_head", dtype=dtype)

    def default_loss(self):
        raise NotImplementedError

    def metrics(self):
        """The default metrics, a list."""
        return []

    def sources(self):
        """Symbolic inputs besides the latents that the queries are made of, by name."""
        if self.num_decoded is None:
            return {}
        key = f"{self.name}_indices"
        return {key: keras.Input((self.num_decoded,), dtype="int32", name=key)}

    def num_queries_of(self, raw):
        """How many queries there are in all, for arrays by name of the model's input."""
        return self.num_queries

    def query_cost(self):
        """`PartCost` of making the queries of one example. Default: no weights, no products."""
        return PartCost(kept=self.rows_asked * self.query_dim)

    def head_cost(self, width):
        """`PartCost` of the head on decoded queries of that width."""
        return dense(self.rows_asked, width, self.output_dim)

    def opened(self):
        """A description with every size left open that no weight depends on, or this one."""
        return self

    def request_limits(self, max_growth):
        """{name of a source: RequestLimits}, for sizes `max_growth` times those built."""
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

    # What a model does with a bound description.

    def bound(self, name, inputs, latent_dim):
        """A copy for the model that reads `inputs` and gives this output that name."""
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
        """The `Queries`, from symbolic latents and `sources`; `indices` asks for some of them."""
        if indices is None:
            indices = sources.get(f"{self.name}_indices")
        if indices is not None:
            return Queries(self.query_layer(latents, indices=indices))
        return Queries(self.query_layer(latents), apart=self.asks_apart(latents, sources))

    def asks_apart(self, latents, sources):
        """What `Queries.apart` says; None where positions cannot be kept apart."""
        return None

    def rows(self, decoded, queries=None):
        """Values from decoded queries, a row for each of the `Queries` that were asked."""
        return self.head_layer(decoded)

    def shaped(self, rows):
        """Rows of all queries in the shape of the answer."""
        shape = tuple(self.asked_shape)
        if None in shape or tuple(rows.shape[1:]) == shape:
            return rows
        return ops.reshape(rows, (-1, *shape))

    @property
    def asked_shape(self):
        """Shape of one example's answer in training, where some queries only may be asked."""
        return self.shape if self.num_decoded is None else (self.num_decoded, self.output_dim)

    @property
    def rows_asked(self):
        """How many queries one example has in training."""
        if self.pools_latents:
            return 1
        return self.num_decoded or self.num_queries

    def get_config(self):
        raise NotImplementedError

    @classmethod
    def from_config(cls, config):
        return cls(**config)
