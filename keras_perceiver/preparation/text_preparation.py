"""Texts as bytes, as the published language model takes them."""

import codecs
import re

import keras
import numpy as np
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.text_ids import text_ids
from keras_perceiver.inputs.byte_vocabulary import CLS, MASK, NUM_SPECIAL, SEP, SIZE
from keras_perceiver.preparation.file_bytes import each_file_bytes
from keras_perceiver.preparation.preparation import Preparation, raw

_MARK = b"\xff"  # a byte that UTF-8 never has


@keras.saving.register_keras_serializable(package="keras_perceiver")
class TextPreparation(Preparation):
    """Converts texts to byte ids, and fills in the bytes that are masked.

    Args:
        max_length: Longer texts are truncated, shorter texts are padded with 0. Of a pair, the
            longer text is truncated first.
        special_tokens: Whether texts become `[CLS] text [SEP]`, and pairs `[CLS] text [SEP] text
            [SEP]`, as in Hugging Face's port. DeepMind's model takes the bytes alone.
        masked: Whether the result has `text_mask`, for models whose `Text` input is masked. Other
            models ignore it.
        mask_token: Where a text contains this, one byte is masked; None if no text is to be filled
            in.

    Call arguments:
        texts: Strings in UTF-8, one `()` or a vector `(batch,)`.
        pairs: Optional strings of the same shape: the second text of each pair.

    Returns:
        A dict: "text", int32 ids `(max_length,)` or `(batch, max_length)`; and "text_mask",
        booleans of the same shape, False for padding.

    Raises:
        ValueError: if an argument, a dtype or a shape is wrong.
        tf.errors.InvalidArgumentError: when run, if a text is not UTF-8.

    Example:

    >>> prepare = kp.preparation.TextPreparation()
    >>> sentence = "This is an incomplete sentence where some words are missing."
    >>> inputs = prepare([prepare.hide(sentence, " missing.")])
    >>> prepare.readable(model(inputs), inputs)
    ['This is an incomplete sentence where some words are missing.']

    Reference: Perceiver IO (arXiv 2107.14795), section 4.1; the ids are those of `text_to_ids`.
    """

    def __init__(
        self, max_length=2048, special_tokens=False, masked=True, mask_token="[MASK]", **kwargs
    ):
        super().__init__(**kwargs)
        self.special_tokens = arguments.flag("special_tokens", special_tokens)
        self.max_length = arguments.whole_number(
            "max_length", max_length, at_least=3 if self.special_tokens else 1
        )
        self.masked = arguments.flag("masked", masked)
        self.mask_token = arguments.optional_text("mask_token", mask_token)
        if mask_token == "":
            raise ValueError("`mask_token` must be one character or more. Received: mask_token=''")

    def __call__(self, texts, pairs=None):
        texts = raw("texts", texts, "strings")
        if pairs is None:
            return super().__call__(texts)
        return super().__call__(texts, raw("pairs", pairs, "strings"))

    def call(self, texts, pairs=None):
        if pairs is not None and not self.special_tokens:
            raise ValueError(
                "`pairs` needs special_tokens=True, which separate the two texts. Received: "
                "special_tokens=False"
            )
        if pairs is not None and not texts.shape.is_compatible_with(pairs.shape):
            raise ValueError(
                f"`pairs` must have the shape of `texts`, {texts.shape}. Received: {pairs.shape}"
            )
        ids, lengths = self._ids("texts", texts)
        if self.special_tokens and pairs is None:
            ids, lengths = self._in_special_tokens(ids, lengths)
        elif self.special_tokens:
            ids, lengths = self._pair(ids, lengths, *self._ids("pairs", pairs))
        ids = tf.ensure_shape(ids, (*texts.shape, self.max_length))
        mask = tf.range(self.max_length) < lengths[..., None]
        return {"text": ids, "text_mask": mask} if self.masked else {"text": ids}

    def _ids(self, name, texts):
        """Ids `(..., max_length)`, without special tokens but for masks, and their number."""
        if texts.dtype != tf.string or texts.shape.rank not in (0, 1):
            raise ValueError(
                f"`{name}` must be one string or a vector of them. Received: {name} of dtype "
                f"{texts.dtype.name} and shape {texts.shape}"
            )
        valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        known = tf.debugging.Assert(
            tf.reduce_all(tf.equal(valid, texts)), [f"`{name}` must be texts in UTF-8."]
        )
        with tf.control_dependencies([known]):
            texts = tf.identity(texts)
        if self.mask_token is not None:
            texts = tf.strings.regex_replace(texts, re.escape(self.mask_token), _MARK)
        ids = text_ids(texts, self.max_length)
        ids = tf.where(ids == _MARK[0] + NUM_SPECIAL, MASK, ids)
        return ids, tf.minimum(tf.strings.length(texts), self.max_length)

    def _in_special_tokens(self, ids, lengths):
        """[CLS] text [SEP]"""
        lengths = tf.minimum(lengths, self.max_length - 2)[..., None]
        place = tf.range(self.max_length)
        ids = tf.where(place <= lengths, tf.roll(ids, 1, axis=-1), 0)
        ids = tf.where(place == 0, CLS, ids)
        return tf.where(place == lengths + 1, SEP, ids), lengths[..., 0] + 2

    def _pair(self, ids, lengths, other_ids, other_lengths):
        """[CLS] text [SEP] text [SEP]"""
        room = self.max_length - 3  # half of it for each, unless the other text needs less
        lengths = tf.minimum(lengths, tf.maximum(room - other_lengths, room - room // 2))
        other_lengths = tf.minimum(other_lengths, room - lengths)
        ids, total = self._in_special_tokens(ids, lengths)
        place = tf.range(self.max_length) - total[..., None]  # in the second text
        is_second = (place >= 0) & (place < other_lengths[..., None])
        other_ids = tf.gather(
            other_ids, tf.where(is_second, place, 0), axis=-1, batch_dims=ids.shape.rank - 1
        )
        ids = tf.where(is_second, other_ids, ids)
        ids = tf.where(place == other_lengths[..., None], SEP, ids)
        return ids, total + other_lengths + 1

    def hide(self, text: str, part: str):
        """`text` with the first `part` in it replaced by one `mask_token` for each of its bytes."""
        if self.mask_token is None:
            raise ValueError("`mask_token` must be a string. Received: mask_token=None")
        for name, value in (("text", text), ("part", part)):
            if not isinstance(value, str):
                raise ValueError(f"`{name}` must be a string. Received: {name}={value!r}")
        if not part or part not in text:
            raise ValueError(f"`part` must be a part of {text!r}. Received: part={part!r}")
        return text.replace(part, self.mask_token * len(part.encode()), 1)

    def from_file(self, path):
        """The model's inputs from one text file, or from a list of them, one text each.

        Raises:
            FileNotFoundError: if there is no such file.
        """
        return self(each_file_bytes("path", path))

    def of_bytes(self):
        return {"text": lambda text: self(text)["text"]}

    def readable(self, logits, inputs):
        """The texts, filled in with the most probable byte at each place that is masked.

        Args:
            logits: The model's output `(batch, max_length, 262)`.
            inputs: What the model was called with: the dict of this layer, or the ids in it.

        Returns:
            For each example a string, or two for a pair. Bytes that are not UTF-8 become U+FFFD; a
            character that is cut off at the end is dropped.

        Raises:
            ValueError: if a shape is wrong, or `logits` are not finite where they are needed.
        """
        ids = np.asarray(inputs.get("text") if isinstance(inputs, dict) else inputs)
        if ids.dtype.kind not in "iu" or ids.ndim != 2:
            raise ValueError(
                "`inputs` must be what the layer returned for a vector of texts. Received: "
                f"{inputs if ids.ndim == 0 else f'dtype {ids.dtype}, shape {ids.shape}'}"
            )
        logits = arguments.floats("logits", logits)
        if logits.shape != (*ids.shape, SIZE):
            raise ValueError(
                f"`logits` must have shape {(*ids.shape, SIZE)}. Received: shape {logits.shape}"
            )
        hidden = ids == MASK
        arguments.finite("logits", logits[hidden])
        filled = ids.copy()
        filled[hidden] = logits[hidden][:, NUM_SPECIAL:].argmax(axis=-1) + NUM_SPECIAL
        return [_text(row) for row in filled]

    def get_config(self):
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "special_tokens": self.special_tokens,
            "masked": self.masked,
            "mask_token": self.mask_token,
        }


def _text(ids):
    """The text of ids, or two if there are two separators."""
    parts = np.split(ids, np.flatnonzero(ids == SEP))
    texts = []
    for part in parts[: max(1, len(parts) - 1)]:
        values = (part[part >= NUM_SPECIAL] - NUM_SPECIAL).astype("uint8").tobytes()
        texts.append(codecs.getincrementaldecoder("utf-8")("replace").decode(values))
    return texts[0] if len(texts) == 1 else tuple(texts)
