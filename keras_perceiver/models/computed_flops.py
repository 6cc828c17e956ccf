"""Operations of the attention as it is computed here, beside those of the papers' formulas."""

import math

import keras

from keras_perceiver.layers.part_cost import attention
from keras_perceiver.layers.separable_query_attention import SeparableQueryAttention
from keras_perceiver.layers.ways import FEW_INPUTS, encoder_way, separable_inputs, too_many_scores


def ways_of(model):
    """{"encoder": the way of its cross-attention, "decoder": the same} of a `Perceiver`."""
    ways = {"encoder": encoder_way(model.input_descriptions, model.sizes)}
    readers = [layer for layer in model.decoder.layers if layer.name == "output_query_decoder"]
    for layer in readers:
        if isinstance(layer.cross_attention, SeparableQueryAttention):
            ways["decoder"] = "separable"
            continue
        queries = keras.tree.flatten(layer.input)[0].shape[1]
        sizes = (model.sizes.num_decoder_heads, queries, model.sizes.num_latents)
        many = model.sizes.attention != "plain" and too_many_scores(*sizes)
        ways["decoder"] = "chunked" if many or model.sizes.attention == "chunked" else "plain"
    return ways


def planned_ways(inputs, outputs, sizes):
    """The same for bound inputs and outputs, of which no model has been built.

    An `Output` of your own whose positions can be separate must tell this by `grid_apart`.
    """
    ways = {"encoder": encoder_way(inputs, sizes)}
    querying = [one for one in outputs.values() if not one.pools_latents]
    if not querying:
        return ways
    queries = sum(one.rows_asked or 0 for one in querying)
    one_head = sizes.num_decoder_heads == 1 and not sizes.attention_dropout
    if len(querying) == 1 and querying[0].grid_apart and one_head:
        many = sizes.attention == "auto" and queries >= FEW_INPUTS
        if many or sizes.attention == "separable":
            return {**ways, "decoder": "separable"}
    many = too_many_scores(sizes.num_decoder_heads, queries, sizes.num_latents)
    many = many and sizes.attention != "plain"
    ways["decoder"] = "chunked" if many or sizes.attention == "chunked" else "plain"
    return ways


def saved_flops(model, ways, encoder, decoder):
    """By how many operations of one example our way is below the papers'.

    Folded and separable attention have no keys and values of the inputs: their kernels are applied
    to the latents. With separate positions, only the features of a cell are multiplied with each
    latent; the positions of each axis are multiplied once. Sums over axes are no products.

    Args:
        model: A `Perceiver`.
        ways: Of `ways_of`.
        encoder: (num_inputs, input_dim) of the joined inputs.
        decoder: (num_queries, query_dim) of the joined queries, or None.
    """
    sizes, saved = model.sizes, 0
    if ways["encoder"] in ("folded", "separable"):
        apart = set()
        if ways["encoder"] == "separable":
            apart = separable_inputs(model.input_descriptions, sizes)
        ours = _to_inputs(model.input_descriptions, apart, sizes, encoder[1])
        plain = attention(
            sizes.num_latents,
            sizes.latent_dim,
            *encoder,
            sizes.num_cross_attention_heads,
            sizes.qk_channels or encoder[1],
            sizes.v_channels or sizes.qk_channels or encoder[1],
        ).flops
        saved += sizes.num_cross_attends * (plain - ours)
    if ways.get("decoder") == "separable":
        qk = sizes.decoder_qk_channels or sizes.latent_dim
        v = sizes.decoder_v_channels or qk
        layer = model.decoder.get_layer("output_query_decoder")
        grid = keras.tree.flatten(layer.input)[0].shape[1:-1]
        ours = _from_grid(grid, layer.cross_attention, sizes, qk, v)
        saved += attention(*decoder, sizes.num_latents, sizes.latent_dim, 1, qk, v).flops - ours
    return saved


def _to_inputs(inputs, apart, sizes, width):
    """Operations of the latents' attention to inputs whose keys and values are not made."""
    latents = sizes.num_latents
    qk = sizes.qk_channels or width
    v = sizes.v_channels or qk
    macs = latents * (sizes.latent_dim * qk + qk * width + width * v + v * sizes.latent_dim)
    for name, one in inputs.items():
        length, features = one.num_inputs, one.input_dim if apart else width
        if name in apart:
            fourier = one.make_fourier()
            axes = one.grid
            positions = fourier.num_features(len(axes))
            features = _with_mean(features - positions)
            macs += 2 * latents * sum(axes) * positions // len(axes)
        macs += 2 * latents * length * features
    return 2 * macs


def _from_grid(grid, layer, sizes, qk, v):
    """Operations of the attention of a grid of queries to the latents."""
    latents, width = sizes.num_latents, layer.query_dim
    positions = layer.position.num_features(len(grid))
    cells = math.prod(grid)
    macs = latents * (sizes.latent_dim * (qk + v) + qk * width)
    macs += latents * sum(grid) * positions // len(grid)
    macs += latents * (qk + width)  # the queries' bias
    macs += cells * latents * _with_mean(width - positions)
    narrower = width <= v
    macs += latents * v * width if narrower else cells * v * width
    macs += cells * latents * (width if narrower else v)
    return 2 * macs


def _with_mean(features):
    """Features of a cell as they are multiplied: their mean is one more, if there are any."""
    return features + 1 if features else 0
