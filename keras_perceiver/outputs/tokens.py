"""A token at each position of a text."""

import keras

from keras_perceiver import arguments
from keras_perceiver.inputs.text import BYTE_VOCABULARY, Text
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.local_kernels import numbers
from keras_perceiver.layers.part_cost import PartCost, dense
from keras_perceiver.layers.places import Places, sample
from keras_perceiver.outputs.learned_queries import LearnedQueries
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.queries import Queries
from keras_perceiver.outputs.tied_head import TiedHead
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Tokens(LearnedQueries, ValuesOrClasses):
    """Logits of a token at each position of a text, `(batch, length, vocab_size)`.

    Each position has a learned query.

    Args:
        tied_to: Name of a `Text` input whose length, vocabulary and embedding are used: the
            logits are products with its embedding, plus a bias. Its padding is masked.
        length: Alternatively, the number of positions; a dense layer gives `vocab_size` logits.
        vocab_size: Number of token ids, for `length`.
        query_dim: Width of the queries. Default: with `tied_to`, the width of the embedding, which
            it must equal; with `length`, the width of the latents.
        mask_queries: Whether padded positions are masked as queries (DeepMind) or attend like all
            others (Hugging Face).

    Raises:
        ValueError: if there is no such input, or an argument is out of range.

    Example:

    >>> kp.build_perceiver_io({"text": kp.Text(2048)}, {"tokens": kp.Tokens(tied_to="text")})

    Reference: Perceiver IO (arXiv 2107.14795), section 4.1 and appendix F.
    """

    kind = "tokens"

    def __init__(
        self,
        tied_to=None,
        length=None,
        vocab_size=BYTE_VOCABULARY,
        query_dim=None,
        mask_queries=True,
    ):
        arguments.whole_number("vocab_size", vocab_size)
        super().__init__(num_classes=vocab_size)
        if (tied_to is None) == (length is None):
            raise ValueError(
                "Either `tied_to` (a text input) or `length` (a number of positions) must be "
                f"given. Received: tied_to={tied_to!r}, length={length!r}"
            )
        self.tied_to = arguments.optional_text("tied_to", tied_to)
        self.length = arguments.optional_whole_number("length", length)
        self.vocab_size = self.num_classes
        self.query_dim = arguments.optional_whole_number("query_dim", query_dim)
        self.mask_queries = arguments.flag("mask_queries", mask_queries)

    def bind(self):
        if self.tied_to is None:
            return super().bind()
        reader = self.inputs.get(self.tied_to)
        if not isinstance(reader, Text):
            texts = sorted(key for key, found in self.inputs.items() if isinstance(found, Text))
            raise ValueError(
                f"Output '{self.name}' is `tied_to` {self.tied_to!r}, which must be a text input, "
                f"one of {texts}. Received: tied_to={self.tied_to!r}"
            )
        if self.query_dim not in (None, reader.dim):
            raise ValueError(
                "`query_dim` must equal the width of the embedding the output is tied to, "
                f"{reader.dim}. Received: query_dim={self.query_dim}"
            )
        self.reader, self.query_dim = reader, reader.dim
        self.num_classes = self.vocab_size = reader.vocab_size

    @property
    def shaped_by(self):
        return self.tied_to

    @property
    def num_queries(self):
        return self.length if self.tied_to is None else self.reader.num_inputs

    def sources(self):
        return {} if self.tied_to is None else self.reader.raw_inputs()

    def num_queries_of(self, raw):
        return self.length if self.tied_to is None else raw[self.tied_to].shape[1]

    def make_query_layer(self, dtype):
        return LearnedArray(
            self.length if self.tied_to is None else self.reader.max_length,
            self.query_dim,
            truncate=self.tied_to is not None,
            name=f"{self.name}_queries",
            dtype=dtype,
        )

    def asks(self, latents, sources, indices=None):
        if self.tied_to is None:
            return super().asks(latents, sources, indices)
        ids = sources[self.tied_to]
        array = self.query_layer(ids) if indices is None else self.query_layer(ids, indices=indices)
        mask = self.reader.mask(sources, array, indices) if self.mask_queries else None
        return Queries(array, mask)

    def places(self, random, count):
        length = self.query_layer.length
        indices = sample(random, length, count)
        return Places.of_cells(numbers(self.query_layer.table)[indices], indices, (length,))

    def default_loss(self):
        # With sample weights, the mean over weighted tokens: the hidden ones in training on those.
        return keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )

    def start_locally(self):
        self.query_layer.tell_places_apart((self.query_layer.length,))

    def query_cost(self):
        length = self.length if self.tied_to is None else self.reader.max_length
        return PartCost(parameters=length * self.query_dim, kept=length * self.query_dim)

    def make_head(self, dtype):
        if self.tied_to is None:
            return OutputHead(self.vocab_size, name=f"{self.name}_head", dtype=dtype)
        return TiedHead(self.query_dim, self.vocab_size, name=f"{self.name}_head", dtype=dtype)

    def head_cost(self, width):
        if self.tied_to is None:
            return super().head_cost(width)
        length = self.reader.max_length
        total = PartCost(parameters=self.vocab_size)  # the bias; the input counts the table
        if width != self.query_dim:
            total += dense(length, width, self.query_dim)
        products = dense(length, self.query_dim, self.vocab_size, bias=False)
        return total + products.repeated(1)

    def rows(self, decoded, queries=None):
        if self.tied_to is None:
            return self.head_layer(decoded)
        return self.head_layer(self.reader(self.head_layer(decoded, project=True), reverse=True))

    def get_config(self):
        return {
            "tied_to": self.tied_to,
            "length": self.length,
            "vocab_size": self.vocab_size,
            "query_dim": self.query_dim,
            "mask_queries": self.mask_queries,
        }
