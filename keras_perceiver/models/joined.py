"""Joins several arrays, and their masks, to one array and one mask."""

from keras import ops

from keras_perceiver.inputs.input_mask import InputMask
from keras_perceiver.layers.common_width import CommonWidth


def joined(arrays, masks, name, min_padding, mask_probs, dtype):
    """Joins arrays and masks (or None) by name to one array and one mask (or None).

    Args:
        arrays: Symbolic arrays `(batch, length, width)`.
        masks: Symbolic booleans `(batch, length)` or None.
        name: Name of the `CommonWidth` layer.
        min_padding, mask_probs: See `CommonWidth`.
        dtype: Dtype policy.
    """
    if len(arrays) == 1:
        return next(iter(arrays.values())), next(iter(masks.values()))
    layer = CommonWidth(min_padding, mask_probs, name=name, dtype=dtype)
    return layer(arrays), joined_masks(arrays, masks)


def joined_masks(arrays, masks):
    """Joins the masks of arrays `(batch, ..., width)` to one mask; None if all are None."""
    if len(masks) == 1:
        return next(iter(masks.values()))
    if all(mask is None for mask in masks.values()):
        return None
    masks = {key: InputMask()(arrays[key]) if mask is None else mask for key, mask in masks.items()}
    return ops.concatenate([masks[key] for key in sorted(masks)], axis=1)
