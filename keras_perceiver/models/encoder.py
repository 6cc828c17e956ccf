"""The encoder: latents attend to the inputs, then to each other; once, or several times."""

import keras

from keras_perceiver.layers.latent_transformer import LatentTransformer
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.layers.ways import encoder_way
from keras_perceiver.models.blocks import block_arguments
from keras_perceiver.models.descriptions import as_given
from keras_perceiver.models.encoder_value import encoder_value


def make_encoder(inputs, sizes, dtype, given):
    """The functional model `encoder`, from raw inputs to latents.

    Args:
        inputs: Bound inputs by name.
        sizes: `Sizes`.
        dtype: Dtype policy.
        given: The user's `inputs` argument: one description or a dict.

    Reference: Perceiver (arXiv 2103.03206), section 3.2 and figure 1.
    """
    raw = {name: tensor for one in inputs.values() for name, tensor in one.raw_inputs().items()}
    to_read = encoder_value(inputs, raw, encoder_way(inputs, sizes), sizes, dtype)
    latents = LearnedArray(sizes.num_latents, sizes.latent_dim, name="latents", dtype=dtype)
    latents = latents(to_read.array)
    keys_values = {}
    for i in range(sizes.num_cross_attends):
        if _has_own_weights(i, sizes):
            cross_attend = to_read.cross_attention(
                num_heads=sizes.num_cross_attention_heads,
                qk_channels=sizes.qk_channels,
                v_channels=sizes.v_channels,
                widening_factor=sizes.cross_attention_widening_factor,
                name=_numbered("encoder_cross_attention", i),
                **block_arguments(sizes, dtype),
            )
        if i == 0 or not sizes.share_latent_transformers:
            latent_transformer = LatentTransformer(
                num_self_attends_per_block=sizes.num_self_attends_per_block,
                num_blocks=sizes.num_blocks,
                num_heads=sizes.num_self_attention_heads,
                qk_channels=sizes.qk_channels,
                v_channels=sizes.v_channels,
                widening_factor=sizes.self_attention_widening_factor,
                recompute=sizes.recompute,
                name=_numbered("latent_transformer", i),
                **block_arguments(sizes, dtype, reads=False),
            )
        last = i + 1 == sizes.num_cross_attends or _has_own_weights(i + 1, sizes)
        latents = _read(cross_attend, latents, to_read, keys_values, last)
        latents = latent_transformer(latents)
    return keras.Model(as_given(given, raw), latents, name="encoder")


def _has_own_weights(i, sizes):
    """Whether cross-attend `i` has other weights than the one before it."""
    if i == 0 or not sizes.share_cross_attends:
        return True
    return i == 1 and not sizes.share_first_cross_attend


def _read(cross_attend, latents, to_read, keys_values, last):
    """The latents after a cross-attend. A layer that is called again reuses its keys and values.

    Args:
        cross_attend: The layer.
        latents: Symbolic latents.
        to_read: `EncoderValue`.
        keys_values: Cached keys and values by name of the layer; updated here.
        last: Whether this is the last call of the layer.
    """
    known = keys_values.get(cross_attend.name)
    if known is not None:
        return cross_attend(latents, to_read.value, value_mask=to_read.mask, keys_values=known)
    in_chunks = cross_attend.chunked or isinstance(cross_attend, SeparableCrossAttention)
    if last or in_chunks:  # in chunks, keys and values are never all in memory
        return cross_attend(latents, to_read.value, value_mask=to_read.mask)
    latents, keys_values[cross_attend.name] = cross_attend(
        latents, to_read.value, value_mask=to_read.mask, return_keys_values=True
    )
    return latents


def _numbered(name, index):
    return name if index == 0 else f"{name}_{index + 1}"
