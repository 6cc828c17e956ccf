"""Which way the encoder's cross-attention is computed. All give the same answers."""

import math

from keras_perceiver import arguments

WAYS = ("auto", "plain", "separable", "chunked")
FEW_INPUTS = 1024  # below, the plain way is as fast and has fewer operations
MANY_SCORES = 2**24  # of one example; more are not kept at once


def choose_attention(attention, readers, mask_probs, num_queries, num_heads, attention_dropout):
    """ "plain", "separable" or "chunked", for the readers of a model by name.

    Raises:
        ValueError: if `attention` is not one of the ways, or "separable" and not possible.
    """
    arguments.one_of("attention", attention, WAYS)
    grids = separable_readers(readers, mask_probs)
    possible = num_heads == 1 and not attention_dropout and bool(grids)
    if attention == "separable" and not possible:
        raise ValueError(
            "`attention` can be 'separable' only with one head in cross-attention, no dropout of "
            "attention weights, and an input on a grid with Fourier positions, concatenated and "
            "not projected. Received: attention='separable', "
            f"num_cross_attention_heads={num_heads}, attention_dropout={attention_dropout}, "
            f"inputs {sorted(readers)}"
        )
    if attention != "auto":
        return attention
    if possible and any(_length(readers[name]) >= FEW_INPUTS for name in grids):
        return "separable"
    scores = num_queries * num_heads * sum(_length(reader) for reader in readers.values())
    return "chunked" if scores > MANY_SCORES else "plain"


def queries_apart(attention, one_head, query):
    """Whether to keep positions of queries `(batch, n, width)` apart, where that is possible."""
    if attention not in ("auto", "separable") or not one_head:
        return False
    return attention == "separable" or query.shape[1] is None or query.shape[1] >= FEW_INPUTS


def separable_readers(readers, mask_probs):
    """Names of inputs whose features and positions can be kept apart."""
    masked = {name for name, probability in (mask_probs or {}).items() if probability}
    return {name for name, reader in readers.items() if reader.separable and name not in masked}


def _length(reader):
    """Number of inputs, infinite where it is known only at run time."""
    length = reader.num_inputs
    return math.inf if length is None else length
