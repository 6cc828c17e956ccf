"""The value of the encoder's attention: one array, or separate parts for separable attention."""

import functools
from typing import NamedTuple

import keras

from keras_perceiver.layers.common_width import CommonWidth
from keras_perceiver.layers.cross_attention import CrossAttention
from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.layers.ways import separable_inputs
from keras_perceiver.models.joined import joined, joined_masks


class EncoderValue(NamedTuple):
    """Symbolic `value` and `value_mask` of the encoder's cross-attends, and their class.

    Args:
        value: An array, or a dict of parts as `SeparableCrossAttention` takes them.
        mask: Booleans `(batch, num_inputs)` or None.
        cross_attention: Makes the layer that attends to them, from keyword arguments.
    """

    value: object
    mask: object
    cross_attention: object

    @property
    def array(self):
        """Any array of the value, for layers that need only the batch size."""
        return keras.tree.flatten(self.value)[0]


def encoder_value(inputs, raw, way, sizes, dtype):
    """The `EncoderValue` of bound `inputs`.

    Args:
        inputs: Bound inputs by name.
        raw: Their symbolic raw tensors by name.
        way: "plain", "chunked", "folded" or "separable".
        sizes: `Sizes`.
        dtype: Dtype policy.
    """
    apart = separable_inputs(inputs, sizes) if way == "separable" else set()
    arrays = {
        key: one.read(raw, **({"joined": False} if key in apart else {}))
        for key, one in inputs.items()
    }
    masks = {key: one.mask(raw, arrays[key]) for key, one in inputs.items()}
    if way == "separable":
        return _apart(inputs, apart, arrays, masks, sizes, dtype)
    padding = sizes.min_input_padding
    value, mask = joined(arrays, masks, "inputs", padding, sizes.mask_probs, dtype)
    if way == "folded":
        block = functools.partial(SeparableCrossAttention, {"inputs": None})
        return EncoderValue({"inputs": {"features": value}}, mask, block)
    return EncoderValue(value, mask, CrossAttention)


def _apart(inputs, apart, arrays, masks, sizes, dtype):
    fourier = {key: _positions(inputs[key]) if key in apart else None for key in arrays}
    block = functools.partial(SeparableCrossAttention, fourier)
    mask = joined_masks(arrays, masks)
    if len(arrays) == 1:
        ((key, features),) = arrays.items()
        return EncoderValue({key: {"features": features}}, mask, block)
    widths = {key: fourier[key].num_features(len(inputs[key].grid)) for key in apart}
    pad = CommonWidth(sizes.min_input_padding, sizes.mask_probs, widths, name="inputs", dtype=dtype)
    return EncoderValue(pad(arrays, joined=False), mask, block)


def _positions(one):
    """The encoding of an input's grid, with tables of at least float32 under any dtype policy."""
    fourier = one.make_fourier()
    if fourier.compute_dtype == "float64":
        return fourier
    return FourierEncoding.from_config({**fourier.get_config(), "dtype": "float32"})
