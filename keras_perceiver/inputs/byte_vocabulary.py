"""Text as UTF-8 bytes: the published language model's vocabulary, in plain NumPy."""

import numpy as np

from keras_perceiver import arguments

PAD, BOS, EOS, MASK, CLS, SEP = range(6)
NUM_SPECIAL = 6
SIZE = NUM_SPECIAL + 256


def text_to_ids(text, max_length=None):
    """Token ids of one or more texts: each byte of the UTF-8 encoding plus 6.

    Ids 0 to 5 are padding, beginning, end, mask, class and separator; none of them is added.

    Args:
        text: A str, or bytes that need not be valid UTF-8, or a list of these.
        max_length: If given, longer texts are truncated (possibly inside a character) and shorter
            texts are padded with 0. Needed for a list of texts of different lengths.

    Returns:
        NumPy int32 of shape `(length,)`, or for a list `(num_texts, length)`.

    Raises:
        ValueError: if `text` is neither str nor bytes, or if texts differ in length and
            `max_length` is missing.

    Example:

    >>> kp.text_to_ids("é a")
    array([201, 175,  38, 103], dtype=int32)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.1.
    """
    if max_length is not None:
        arguments.whole_number("max_length", max_length)
    if not isinstance(text, (list, tuple, np.ndarray)):
        return _ids_of_text(text, max_length)
    rows = [_ids_of_text(each, max_length) for each in text]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(
            "`max_length` must be given for texts of different lengths. Received: "
            f"max_length=None, {len(rows)} texts"
        )
    return np.stack(rows) if rows else np.zeros((0, max_length or 0), "int32")


def ids_to_text(ids):
    """The text of token ids: special tokens are dropped, invalid UTF-8 becomes U+FFFD.

    Args:
        ids: Whole numbers from 0 to 261 of shape `(length,)` or `(num_texts, length)`.

    Returns:
        A str, or a list of them.

    Raises:
        ValueError: if an id is outside the vocabulary.

    Example:

    >>> kp.ids_to_text([4, 201, 175, 38, 103, 5, 0, 0])
    'é a'
    """
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu" and ids.size:
        raise ValueError(f"`ids` must be whole numbers. Received: ids of type {ids.dtype}")
    outside = ids[(ids < 0) | (ids >= SIZE)]
    if outside.size:
        raise ValueError(f"`ids` must lie in [0, {SIZE}). Received: {int(outside.flat[0])}")
    if ids.ndim == 2:
        return [ids_to_text(row) for row in ids]
    values = ids[ids >= NUM_SPECIAL] - NUM_SPECIAL
    return values.astype("uint8").tobytes().decode("utf-8", errors="replace")


def _ids_of_text(text, max_length):
    if isinstance(text, str):
        text = text.encode("utf-8", errors="surrogatepass")
    if not isinstance(text, bytes):
        raise ValueError(f"`text` must be a str or bytes. Received: {text!r}")
    ids = np.frombuffer(text, "uint8").astype("int32") + NUM_SPECIAL
    if max_length is None:
        return ids
    ids = ids[:max_length]
    return np.pad(ids, (0, max_length - len(ids)))
