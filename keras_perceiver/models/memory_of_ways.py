"""The memory of each attention of a model that is not plain; None if it is."""

from keras_perceiver.layers import way_memory
from keras_perceiver.layers.ways import too_many_scores


def encoder_memory(inputs, shapes, apart, joined, sizes, ways, batch):
    """Of the latents' attention to the inputs.

    Args:
        inputs: Bound inputs by name.
        shapes: Their (length, width) by name.
        apart: Names of the inputs whose positions are separate.
        joined: (length, width) of all inputs together.
        sizes: `Sizes`.
        ways: Of `ways_of`.
        batch: Batch size.
    """
    way = ways["encoder"]
    uniform = sizes.masked_rows == "uniform" and any(one.has_mask for one in inputs.values())
    if uniform and way in ("folded", "separable"):  # masked rows then need all keys and values
        way = "chunked" if sizes.attention == "chunked" else "plain"
    qk = sizes.qk_channels or joined[1]
    v = sizes.v_channels or qk
    latents = (sizes.num_latents, sizes.latent_dim)
    learned = {name: one.cost().parameters > 0 for name, one in inputs.items()}
    if way == "separable":
        parts = []
        for name, one in inputs.items():
            if name in apart:
                parts.append((one.grid, one.stem_shape()[-1], one.stem_cost().parameters > 0))
            else:
                parts.append((shapes[name][0], joined[1], learned[name]))
        return way_memory.to_grid(*latents, parts, joined[1], qk, v, batch)
    any_learned = len(inputs) > 1 or any(learned.values())
    if way == "folded":
        return way_memory.to_grid(*latents, [(*joined, any_learned)], joined[1], qk, v, batch)
    heads = sizes.num_cross_attention_heads
    many = sizes.attention != "plain" and too_many_scores(heads, latents[0], joined[0])
    if way == "chunked" or many:
        return way_memory.chunked(*latents, *joined, heads, qk, v, any_learned, batch)
    return None


def latent_memory(sizes, batch):
    """Of a layer of the latent Transformer, which is in chunks only if there are many scores."""
    rows, heads = (sizes.num_latents, sizes.latent_dim), sizes.num_self_attention_heads
    if sizes.attention == "plain" or not too_many_scores(heads, rows[0], rows[0]):
        return None
    qk = sizes.qk_channels or rows[1]
    return way_memory.chunked(*rows, *rows, heads, qk, sizes.v_channels or qk, True, batch)


def decoder_memory(outputs, queries, sizes, ways, batch):
    """Of the attention of `queries`, (number, width), to the latents."""
    latents = (sizes.num_latents, sizes.latent_dim)
    qk = sizes.decoder_qk_channels or sizes.latent_dim
    v = sizes.decoder_v_channels or qk
    if ways["decoder"] == "chunked":
        heads = sizes.num_decoder_heads
        return way_memory.chunked(*queries, *latents, heads, qk, v, True, batch)
    if ways["decoder"] == "plain":
        return None
    (only,) = [one for one in outputs.values() if not one.pools_latents]
    residual = sizes.use_query_residual
    return way_memory.from_grid(*only.grid_apart, queries[1], *latents, qk, v, residual, batch)
