"""A token at each position."""

import keras

from keras_perceiver import arguments
from keras_perceiver.inputs.text import BYTE_VOCABULARY, Text
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.tied_head import TiedHead
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Tokens(ValuesOrClasses):
    """Logits of a token at each position of a text, `(batch, length, vocab_size)`.

    Each position has a learned query.

    Args:
        tied_to: Name of a `Text` input whose length, vocabulary and embedding are used: the
            logits are products with its embedding, plus a bias. Its padding is not queried.
        length: Or: the number of positions, with a dense layer to `vocab_size` logits.
        vocab_size: Number of token ids, for `length`.
        query_dim: Width of the queries. Default: for `tied_to` the width of the embedding, which
            it must equal; for `length` the width of the latents.
        mask_queries: Whether padded positions read nothing (DeepMind) or like any other (Hugging
            Face).

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
        super().__init__(num_classes=vocab_size)
        if (tied_to is None) == (length is None):
            raise ValueError(
                "Either `tied_to` (a text input) or `length` (a number of positions) must be "
                f"given. Received: tied_to={tied_to!r}, length={length!r}"
            )
        for name in ("length", "query_dim", "vocab_size"):
            if locals()[name] is not None:
                arguments.whole_number(name, locals()[name])
        self.tied_to = tied_to
        self.length = length
        self.vocab_size = vocab_size
        self.query_dim = query_dim
        self.mask_queries = bool(mask_queries)

    def check(self, name, readers):
        if self.tied_to is None:
            return
        reader = readers.get(self.tied_to)
        if not isinstance(reader, Text):
            texts = sorted(key for key, found in readers.items() if isinstance(found, Text))
            raise ValueError(
                f"Output '{name}' is `tied_to` {self.tied_to!r}, which must be a text input, one "
                f"of {texts}. Received: tied_to={self.tied_to!r}"
            )
        if self.query_dim not in (None, reader.dim):
            raise ValueError(
                "`query_dim` must equal the width of the embedding the output is tied to, "
                f"{reader.dim}. Received: query_dim={self.query_dim}"
            )

    def sources(self, name, readers):
        return {} if self.tied_to is None else readers[self.tied_to].raw_inputs(self.tied_to)

    def query_layer(self, name, readers, latent_dim, dtype):
        if self.tied_to is None:
            length, width = self.length, self.query_dim or latent_dim
        else:
            length, width = readers[self.tied_to].max_length, readers[self.tied_to].dim
        return LearnedArray(
            length,
            width,
            truncate=self.tied_to is not None,
            name=f"{name}_queries",
            dtype=dtype,
        )

    def queries(self, layer, name, readers, latents, sources, indices=None):
        like = latents if self.tied_to is None else sources[self.tied_to]
        return layer(like) if indices is None else layer(like, indices=indices)

    def query_mask(self, name, readers, sources, queries):
        if self.tied_to is None or not self.mask_queries:
            return None
        return readers[self.tied_to].mask(sources, self.tied_to, queries)

    def num_queries(self, name, readers, raw):
        return self.length if self.tied_to is None else raw[self.tied_to].shape[1]

    def head_layer(self, name, readers, dtype):
        if self.tied_to is None:
            return OutputHead(self.vocab_size, name=f"{name}_head", dtype=dtype)
        reader = readers[self.tied_to]
        return TiedHead(reader.dim, reader.vocab_size, name=f"{name}_head", dtype=dtype)

    def answer(self, layer, name, readers, decoded, flat=False):
        if self.tied_to is None:
            return layer(decoded)
        return layer(readers[self.tied_to](layer(decoded, project=True), reverse=True))

    def get_config(self):
        return {
            "tied_to": self.tied_to,
            "length": self.length,
            "vocab_size": self.vocab_size,
            "query_dim": self.query_dim,
            "mask_queries": self.mask_queries,
        }
