"""What the latents read: all inputs as one array, or in parts for separable attention."""

import functools

from keras import ops

from keras_perceiver.inputs.input_mask import InputMask
from keras_perceiver.layers.common_width import CommonWidth
from keras_perceiver.layers.cross_attention import CrossAttention
from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.models.attention_choice import separable_readers

# Below, a single head that reads in chunks does so by queries folded through the key kernel: there
# are no keys and values, which is twice as fast as making them piece by piece. It takes several
# arrays of the size of the inputs, though, and with many inputs it is no faster.
MANY_INPUTS = 2**18


class EncoderInputs:
    """The symbolic `value` and `mask` for the encoder's cross-attends, and their class.

    Args:
        readers: The model's input layers by name.
        raw: Their symbolic raw inputs.
        attention: "plain", "separable" or "chunked".
        one_head: Whether there is one head, and no dropout of attention weights.
        min_padding, mask_probs: See `CommonWidth`.
        dtype: Dtype policy.
    """

    def __init__(self, readers, raw, attention, one_head, min_padding, mask_probs, dtype):
        apart = separable_readers(readers, mask_probs) if attention == "separable" else set()
        arrays = {key: r.read(raw, key, joined=key not in apart) for key, r in readers.items()}
        # A mask is as long as the joined array, of which nothing but the length is computed.
        rows = {key: r.read(raw, key) if _masks(r) else arrays[key] for key, r in readers.items()}
        masks = {key: reader.mask(raw, key, rows[key]) for key, reader in readers.items()}
        self.first = next(iter(arrays.values()))
        self.keys_values = {}
        if not apart:
            self.value, self.mask = joined(arrays, masks, "inputs", min_padding, mask_probs, dtype)
            self.attention = CrossAttention
            few = self.value.shape[1] is not None and self.value.shape[1] < MANY_INPUTS
            if attention == "chunked" and one_head and few:
                self.value = {"inputs": {"features": self.value}}
                self.attention = functools.partial(SeparableCrossAttention, {"inputs": None})
            return
        fourier = {key: _positions(readers[key]) if key in apart else None for key in arrays}
        self.attention = functools.partial(SeparableCrossAttention, fourier)
        if any(mask is not None for mask in masks.values()):
            rows = {key: readers[key].read(raw, key) for key in arrays}
        self.mask = _joined_masks(masks, rows)
        if len(arrays) == 1:
            self.value = {key: {"features": array} for key, array in arrays.items()}
            return
        widths = {key: fourier[key].num_features(len(readers[key].grid)) for key in apart}
        pad = CommonWidth(min_padding, mask_probs, widths, name="inputs", dtype=dtype)
        self.value = pad(arrays, joined=False)

    def read(self, cross_attend, latents, again):
        """Symbolic latents that have read; `again` if this layer will read once more."""
        known = self.keys_values.get(cross_attend.name)
        if known is not None:
            return cross_attend(latents, self.value, value_mask=self.mask, keys_values=known)
        in_pieces = cross_attend.chunked or isinstance(cross_attend, SeparableCrossAttention)
        if not again or in_pieces:  # keys and values are never written out
            return cross_attend(latents, self.value, value_mask=self.mask)
        latents, self.keys_values[cross_attend.name] = cross_attend(
            latents, self.value, value_mask=self.mask, return_keys_values=True
        )
        return latents


def _positions(reader):
    """The encoding of a reader's grid; its tables keep float32, whatever the reader computes in."""
    config = reader.make_fourier().get_config()
    return FourierEncoding.from_config({**config, "dtype": "float32"})


def _masks(reader):
    return reader.masked or reader.may_be_missing or reader.pad_id is not None


def joined(arrays, masks, name, min_padding, mask_probs, dtype):
    """Several arrays and their masks (or None) as one of each."""
    if len(arrays) == 1:
        return next(iter(arrays.values())), next(iter(masks.values()))
    layer = CommonWidth(min_padding, mask_probs, name=name, dtype=dtype)
    array = layer(arrays)
    return array, _joined_masks(masks, arrays)


def _joined_masks(masks, arrays):
    """The masks of all arrays `(batch, length, width)` as one, or None if there is none."""
    if len(masks) == 1:
        return next(iter(masks.values()))
    if all(mask is None for mask in masks.values()):
        return None
    masks = {key: InputMask()(arrays[key]) if mask is None else mask for key, mask in masks.items()}
    return ops.concatenate([masks[key] for key in sorted(masks)], axis=1)
