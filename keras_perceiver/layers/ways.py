"""How attention is computed. All ways give the same answers with the same weights.

| way | heads | positions | kept in memory | "auto" takes it when |
|---|---|---|---|---|
| plain | any | joined | all scores | nothing below applies |
| chunked | any | joined | a chunk of scores | there are more than 2^24 scores |
| folded | 1 | joined | a chunk of scores, no keys, no values | as chunked, with < 2^18 inputs |
| separable | 1 | apart | as folded, and no positions | a Fourier grid has 2^10 cells or more |

"Joined" positions are channels of the inputs; kept "apart", they are one small table for each axis
of a grid. Scores are counted for one example: heads times queries times inputs.

- plain: `Attention`, scores of all queries and inputs at once.
- chunked: `Attention` by `attend_by_queries`, a chunk of the queries at a time; or by
  `attend_by_inputs`, where few queries read many inputs, whose keys and values never exist at once.
- folded: `SeparableCrossAttention` with positions None. Queries are folded through the kernel of
  the keys, so that they read the normalised inputs themselves, by `attend_to_grid`.
- separable: `SeparableCrossAttention`, the same with the positions apart, and in the decoder
  `SeparableQueryAttention`, where the queries are the cells of a grid, by `attend_from_grid`.

Which way is taken: the functions below, for the encoder's and the decoder's cross-attention;
`Attention` itself, also among the latents, chunks where there are too many scores unless it is
told to (`chunked=True`) or not to (`chunked=False`). `attention="plain"` forbids chunks everywhere;
"chunked" wants them in encoder and decoder; "separable" wants separable attention in the encoder,
and in the decoder where it is possible. Masked rows that are to be "uniform", int8 weights and
attention weights that are asked for need all scores: then the plain way is taken.
"""

import math

WAYS = ("auto", "plain", "separable", "chunked")

MANY_SCORES = 2**24  # 64 MiB of float32; more are not kept at once
FEW_INPUTS = 2**10  # below, the plain way is as fast as the separable one and has fewer operations
MANY_INPUTS = (
    2**18
)  # folded attention keeps several arrays of the size of the inputs: too much here
LONGEST_AXIS = 2**14  # a longer single axis has as many positions as cells: nothing to save


def too_many_scores(num_heads, num_queries, num_inputs):
    """Whether there are more scores than are kept at once, of sizes that may be unknown."""
    sizes = (num_heads, num_queries, num_inputs)
    return all(isinstance(size, int) for size in sizes) and math.prod(sizes) > MANY_SCORES


def encoder_way(inputs, sizes):
    """How the latents read: "plain", "chunked", "folded" or "separable".

    Args:
        inputs: Bound inputs by name.
        sizes: `Sizes`.

    Raises:
        ValueError: if `sizes.attention` is "separable" and that is not possible.
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
    """Names of the inputs whose features and positions can be kept apart."""
    masked = {name for name, probability in (sizes.mask_probs or {}).items() if probability}
    return {name for name, one in inputs.items() if one.separable and name not in masked}


def decoder_way(queries, sizes):
    """How one output's `Queries` read the latents: "plain", "chunked" or "separable"."""
    one_head = sizes.num_decoder_heads == 1 and not sizes.attention_dropout
    if queries.apart is not None and queries.mask is None and one_head:
        length = queries.array.shape[1]
        many = length is None or length >= FEW_INPUTS
        if sizes.attention == "separable" or (sizes.attention == "auto" and many):
            return "separable"
    return "chunked" if sizes.attention == "chunked" else "plain"


def _gains(one):
    """Whether "separable" is worth it for this input."""
    length = _length(one)
    return length >= FEW_INPUTS and (len(one.grid) > 1 or length <= LONGEST_AXIS)


def _length(one):
    """Number of inputs, infinite where it is known only at run time."""
    return math.inf if one.num_inputs is None else one.num_inputs
