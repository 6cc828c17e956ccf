"""How attention is computed. All ways give the same results with the same weights.

| way | heads | positions | kept in memory | "auto" uses it if |
|---|---|---|---|---|
| plain | any | joined | all scores | nothing below applies |
| chunked | any | joined | a chunk of scores | there are more than 2^24 scores |
| folded | 1 | joined | a chunk of scores, no keys, no values | as chunked, with < 2^18 inputs |
| separable | 1 | separate | as folded, and no positions | a Fourier grid has 2^10 cells or more |

"Joined" positions are channels of the inputs; "separate" positions are one small table for each
axis of a grid. The number of scores is that of one example: heads times queries times inputs.

- plain: `Attention` with the scores of all queries and inputs at once.
- chunked: `Attention` with `attend_by_queries`, a chunk of the queries at a time; or with
  `attend_by_inputs`, a chunk of the inputs at a time, if there are few queries and many inputs.
- folded: `SeparableCrossAttention` with positions None. Queries are multiplied with the key kernel,
  so that they attend directly to the normalised inputs, with `attend_to_grid`.
- separable: `SeparableCrossAttention` with separate positions; in the decoder, where the queries
  are the cells of a grid, `SeparableQueryAttention` with `attend_from_grid`.

The functions below choose the way for the cross-attention of encoder and decoder. `Attention`
itself, also in the latent Transformers, computes in chunks if there are too many scores, unless
`chunked=True` or `chunked=False` decides; on a GPU in half precision it prefers a fused kernel
(`fused_attention`), which keeps no scores. `attention="plain"` never uses chunks; "chunked" uses
them in encoder and decoder; "separable" requires separable attention in the encoder, and uses it in
the decoder if possible. masked_rows="uniform" with masks, int8 weights and returned attention
weights need all scores and therefore use plain attention. In files for other runtimes, chunks are
a fixed number of slices (`slices`).
"""

import math

WAYS = ("auto", "plain", "separable", "chunked")

MANY_SCORES = 2**24  # 64 MiB of float32; more scores are not kept at once
FEW_INPUTS = 2**10  # with fewer, plain attention is as fast as separable and has fewer operations
MANY_INPUTS = 2**18  # folded attention keeps several arrays of the inputs' size; too much for more
LONGEST_AXIS = 2**14  # a longer single axis has as many positions as cells, so nothing is saved


def too_many_scores(num_heads, num_queries, num_inputs):
    """Whether there are too many scores to keep at once; False if a size is not known."""
    sizes = (num_heads, num_queries, num_inputs)
    return all(isinstance(size, int) for size in sizes) and math.prod(sizes) > MANY_SCORES


def encoder_way(inputs, sizes):
    """The way of the encoder's cross-attention: "plain", "chunked", "folded" or "separable".

    Args:
        inputs: Bound inputs by name.
        sizes: `Sizes`.

    Raises:
        ValueError: if `sizes.attention` is "separable" but this is not possible.
    """
    one_head = sizes.num_cross_attention_heads == 1 and not sizes.attention_dropout
    apart = separable_inputs(inputs, sizes)
    if sizes.attention == "separable":
        if one_head and apart:
            return "separable"
        raise ValueError(
            "`attention` can be 'separable' only with one head in cross-attention, no dropout of "
            "attention weights, and an input on a grid with Fourier positions, concatenated and "
            "not projected. Received: attention='separable', "
            f"num_cross_attention_heads={sizes.num_cross_attention_heads}, "
            f"attention_dropout={sizes.attention_dropout}, inputs {sorted(inputs)}"
        )
    if sizes.attention == "plain":
        return "plain"
    num_inputs = sum(_length(one) for one in inputs.values())
    if sizes.attention == "auto":
        if one_head and any(_gains(inputs[name]) for name in apart):
            return "separable"
        if sizes.num_latents * sizes.num_cross_attention_heads * num_inputs <= MANY_SCORES:
            return "plain"
    return "folded" if one_head and num_inputs < MANY_INPUTS else "chunked"


def separable_inputs(inputs, sizes):
    """Names of the inputs whose positions can be separate from their features."""
    masked = {name for name, probability in (sizes.mask_probs or {}).items() if probability}
    return {name for name, one in inputs.items() if one.separable and name not in masked}


def decoder_way(queries, sizes):
    """The way of the decoder's cross-attention for `queries`: "plain", "chunked", "separable"."""
    one_head = sizes.num_decoder_heads == 1 and not sizes.attention_dropout
    if queries.apart is not None and queries.mask is None and one_head:
        length = queries.array.shape[1]
        many = length is None or length >= FEW_INPUTS
        if sizes.attention == "separable" or (sizes.attention == "auto" and many):
            return "separable"
    return "chunked" if sizes.attention == "chunked" else "plain"


def _gains(one):
    """Whether separable attention is faster for this input."""
    length = _length(one)
    return length >= FEW_INPUTS and (len(one.grid) > 1 or length <= LONGEST_AXIS)


def _length(one):
    """Number of inputs, or infinity if it is known only at run time."""
    return math.inf if one.num_inputs is None else one.num_inputs
