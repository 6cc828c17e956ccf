"""The decoder: output queries attend to the latents, or the latents are averaged (Perceiver 1)."""

import keras

from keras_perceiver.layers.output_query_decoder import OutputQueryDecoder
from keras_perceiver.layers.split_lengths import SplitLengths
from keras_perceiver.layers.ways import decoder_way
from keras_perceiver.models.blocks import block_arguments
from keras_perceiver.models.descriptions import as_given
from keras_perceiver.models.joined import joined


def make_decoder(outputs, latents, sizes, dtype, given):
    """The functional model `decoder`, from latents and the sources of the queries to outputs.

    Args:
        outputs: Bound outputs by name, whose layers exist.
        latents: The encoder's symbolic latents; only their shape and dtype are used.
        sizes: `Sizes`.
        dtype: Dtype policy.
        given: The user's `outputs` argument: one description or a dict.

    Reference: Perceiver IO (arXiv 2107.14795), section 3.2 and figure 2.
    """
    latents = keras.Input(latents.shape[1:], name="latents", dtype=latents.dtype)
    querying = {key: output for key, output in outputs.items() if not output.pools_latents}
    sources = {}
    for output in querying.values():
        sources = {**output.sources(), **sources}  # one input for each source, even if shared
    queries = {key: output.asks(latents, sources) for key, output in querying.items()}
    decoded = {key: o.pooling_layer(latents) for key, o in outputs.items() if o.pools_latents}
    if queries:
        decoded.update(_attend_to_latents(queries, latents, sizes, dtype))
    answers = {
        key: output.shaped(output.rows(decoded[key], queries.get(key)))
        for key, output in outputs.items()
    }
    inputs = as_given(None, {"latents": latents, **sources})
    return keras.Model(inputs, as_given(given, answers), name="decoder")


def _attend_to_latents(queries, latents, sizes, dtype):
    """The decoded queries of each output, by name."""
    arrays = {key: one.array for key, one in queries.items()}
    masks = {key: one.mask for key, one in queries.items()}
    query, mask = joined(arrays, masks, "queries", sizes.min_query_padding, None, dtype)
    position = None
    if len(queries) == 1:
        (only,) = queries.values()
        if decoder_way(only, sizes) == "separable":
            query, position = only.apart
    decoder = OutputQueryDecoder(
        output_dim=sizes.decoder_output_dim,
        num_heads=sizes.num_decoder_heads,
        qk_channels=sizes.decoder_qk_channels,
        v_channels=sizes.decoder_v_channels,
        use_query_residual=sizes.use_query_residual,
        position=position,
        name="output_query_decoder",
        **block_arguments(sizes, dtype),
    )
    decoded = decoder(query, latents, query_mask=mask)
    if len(queries) == 1:
        return dict.fromkeys(queries, decoded)
    return SplitLengths(name="answers", dtype=dtype)(decoded, parts=arrays)
