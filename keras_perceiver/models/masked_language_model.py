"""A masked language model on bytes or any other tokens."""

from keras_perceiver import arguments
from keras_perceiver.inputs.text import BYTE_VOCABULARY, Text
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.tokens import Tokens


@arguments.takes_also(build_perceiver_io)
def build_masked_language_model(
    max_length: int,
    vocab_size: int = BYTE_VOCABULARY,
    *,
    dim: int = 128,
    pad_id: int | None = 0,
    dynamic_length: bool = False,
    masked: bool = False,
    mask_queries: bool = True,
    name: str = "perceiver_language_model",
    **options,
):
    """Builds and compiles a Perceiver IO that fills in masked tokens.

    Args:
        max_length: Largest number of tokens of a text.
        vocab_size: Number of token ids. Default: bytes and 6 special tokens.
        dim: Width of the token embedding and of the queries.
        pad_id, dynamic_length, masked: See `Text`.
        mask_queries: See `Tokens`.
        name: Name of the model.
        **options: Any other argument of `build_perceiver_io`.

    Returns:
        A `Perceiver` from token ids `(batch, length)` to logits `(batch, length, vocab_size)`.
        Train it on the original ids, with sample weights that are 1 at masked positions.

    Raises:
        ValueError: if an argument is wrong; names it, the expected and the received value.

    Example (the published model; 201,108,230 parameters):

    >>> model = kp.from_preset("perceiver_io_language_bytes")
    >>> model.fit(masked_ids, ids, sample_weight=is_masked)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.1 and appendix F.
    """
    text = Text(
        max_length,
        vocab_size,
        dim,
        pad_id=pad_id,
        dynamic_length=dynamic_length,
        masked=masked,
    )
    tokens = Tokens(tied_to="text", mask_queries=mask_queries)
    return build_perceiver_io(text, tokens, name=name, **options)
