"""Text, as token ids."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs import byte_vocabulary
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.inputs.request_limits import USUAL, RequestLimits
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.local_kernels import numbers
from keras_perceiver.layers.part_cost import PartCost
from keras_perceiver.layers.places import Places, sample
from keras_perceiver.layers.take_rows import take_rows

BYTE_VOCABULARY = byte_vocabulary.SIZE  # 256 bytes after 6 special tokens


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Text(PerceiverInput):
    """Text as token ids: an embedding plus learned positions. By default, tokens are UTF-8 bytes.

    Args:
        max_length: Largest number of tokens; the layer also takes shorter texts.
        vocab_size: Number of token ids. Default: bytes and 6 special tokens.
        dim: Width of the embedding.
        pad_id: Id of "no token", which is masked; None if every id is a token.
        dynamic_length: Whether the length is known only at call time, up to `max_length`.
        masked: Whether the model takes `<name>_mask`, instead of masking `pad_id`.
        may_be_missing: Whether the modality may be missing from some examples; the model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`.

    Call arguments:
        inputs: Whole numbers of shape `(batch, length)`; or with `reverse`, an array
            `(batch, length, dim)`.
        indices: Optional whole numbers `(batch, n)`: only these positions.
        reverse: If True, returns the products with all embeddings, the logits of a tied output.

    Returns:
        Array of shape `(batch, length, dim)`; or with `reverse`, `(batch, length, vocab_size)`.

    Raises:
        ValueError: if a text is longer than `max_length`, or an argument is out of range.

    Example (the published language model):

    >>> Text(max_length=2048, dim=768)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.1 and appendix F.
    """

    kind = "text"

    def __init__(
        self,
        max_length,
        vocab_size=BYTE_VOCABULARY,
        dim=128,
        pad_id=0,
        dynamic_length=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.max_length = arguments.whole_number("max_length", max_length)
        self.vocab_size = arguments.whole_number("vocab_size", vocab_size)
        self.dim = arguments.whole_number("dim", dim)
        self.pad_id = arguments.optional_whole_number("pad_id", pad_id, at_least=0)
        self.dynamic_length = arguments.flag("dynamic_length", dynamic_length)

    def raw_parts(self):
        return {"inputs": ((self.num_inputs,), "int32")}

    @property
    def num_inputs(self):
        return None if self.dynamic_length else self.max_length

    @property
    def input_dim(self):
        return self.dim

    def build(self, input_shape):
        self.table = self.add_weight(
            shape=(self.vocab_size, self.dim),
            initializer=keras.initializers.TruncatedNormal(stddev=1.0),
            name="token_table",
        )
        self.encoding = LearnedArray(
            self.max_length, self.dim, truncate=True, dtype=self.dtype_policy, name="positions"
        )
        self.encoding.build((None, None))

    def call(self, inputs, indices=None, reverse=False):
        table = ops.cast(self.table, self.compute_dtype)
        if reverse:
            return ops.matmul(inputs, ops.transpose(table))
        if "int" not in keras.backend.standardize_dtype(inputs.dtype):
            raise ValueError(
                f"Token ids must be whole numbers (int32). Received: ids of type {inputs.dtype}"
            )
        if indices is None:
            return take_rows(table, inputs, "token ids") + self.encoding(inputs)
        chosen = ops.take_along_axis(inputs, indices, axis=1)
        # If an index is out of range, the learned position is NaN, and so is the result.
        return take_rows(table, chosen, "token ids") + self.encoding(inputs, indices=indices)

    def places(self, random, count):
        indices = sample(random, self.max_length, count)
        ids = random.integers(0, self.vocab_size, len(indices))
        vectors = numbers(self.table)[ids] + numbers(self.encoding.table)[indices]
        return Places.of_cells(vectors, indices, (self.max_length,))

    def start_locally(self):
        # Smaller by the root of the width: products with the embedding, the logits of tied weights,
        # then start near 0, and what is read is normalised anyway.
        scale = self.dim**-0.5
        self.table.assign(numbers(self.table) * scale)
        self.encoding.tell_places_apart((self.max_length,), scale)

    def cost(self):
        return PartCost(parameters=(self.vocab_size + self.max_length) * self.dim)

    def largest_num_inputs(self):
        return self.max_length

    @property
    def bytes_format(self):
        return "text" if self.vocab_size == BYTE_VOCABULARY else None

    def opened(self):
        return type(self).from_config({**self.get_config(), "dynamic_length": True})

    def request_limits(self, max_growth):
        limits = super().request_limits(max_growth)
        largest, usual = (self.max_length,), (self.num_inputs or min(USUAL, self.max_length),)
        for name in limits.keys() - {f"{self.modality}_present"}:
            below = self.vocab_size if name == self.modality else None
            limits[name] = RequestLimits(largest, usual, below=below)
        return limits

    def get_config(self):
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "vocab_size": self.vocab_size,
            "dim": self.dim,
            "pad_id": self.pad_id,
            "dynamic_length": self.dynamic_length,
        }
