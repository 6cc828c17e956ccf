"""Which inputs the latents and the output queries of a model attend to."""

import math

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.visualization.attention_calls import decoder_layer, encoder_calls
from keras_perceiver.visualization.attention_weights import all_weights, attention_weights

PARTS = ("rollout", "encoder", "latents", "decoder")
MOST_NUMBERS = 2**27  # of one example's maps: 512 MiB
MOST_AT_ONCE = 2**23  # attention weights of the examples that are computed together


def attention_maps(
    model,
    inputs,
    part: str = "rollout",
    *,
    queries=None,
    latents=None,
    cross_attends=None,
    heads: str = "mean",
):
    """Attention of a model to its inputs, by output and input, in the shape of the inputs.

    | part | result | shape of an array |
    |---|---|---|
    | "rollout" | {output: {input: array}} | (batch, num_queries, *grid) |
    | "encoder" | {input: array} | (batch, num_cross_attends, num_latents, *grid) |
    | "latents" | array | (batch, num_layers, num_latents, num_latents) |
    | "decoder" | {output: array} | (batch, num_queries, num_latents) |

    `grid` is the shape in which the model reads an input: (height, width) of pixels or of patches,
    (frames, height, width), (samples,), (bytes,), (points,), (columns,). With `heads="all"` there
    is an axis of heads before those of latents or queries. Each map is a share: it sums to 1 over
    all inputs of an example, or is 0 if all of them are masked.

    The roll-out follows the path from a query through the latents back to the inputs. Each layer
    passes on half of what it was given, by its residual, and half of what it attends to, averaged
    over heads; the matrices of all layers are multiplied. Several cross-attends (Perceiver) count
    likewise: latents come half from what they held and half from what they read. A model that
    decodes the mean of the latents has one query that attends to all latents equally.

    A map shows where a model attends, not what it does with it: values, feed-forward blocks and the
    signs of weights are left out, and heads that attend to different places are averaged. It is no
    proof that the model uses an input; `integrated_gradients` asks that.

    Only a few rows of a map are computed at a time, for every way of computing attention. Memory is
    that of the result, and of the arrays of keys and values of the largest cross-attend.

    Args:
        model: A `Perceiver`, such as builders return.
        inputs: A batch of model inputs: an array, or a dict of arrays by name.
        part: What to return, see above.
        queries: Whole numbers: which queries, in row-major order; or a dict of them by output.
            Default: all. For "rollout" and "decoder".
        latents: Whole numbers: which latents attend. Default: all. For "encoder" and "latents".
        cross_attends: Whole numbers: which cross-attends, from 0. Default: all. For "encoder".
        heads: "mean" or "all". For "encoder", "latents" and "decoder".

    Returns:
        NumPy float32 arrays as in the table.

    Raises:
        ValueError: if `model` is not a Perceiver, `inputs` do not fit it, an argument is wrong or
            not one of this part, or the maps of an example would have over 2^27 numbers.

    Example:

    >>> maps = kp.visualization.attention_maps(model, images)  # images: (batch, 8, 8, 1)
    >>> maps["classes"]["array"][:, 0]  # (batch, 8, 8)
    >>> read = kp.visualization.attention_maps(model, images, "encoder", cross_attends=[0])
    >>> read["array"][0, 0, 5]  # what latent 5 reads in the first image, (8, 8)

    Reference: Perceiver (arXiv 2103.03206), figure 3 and appendix E, shows "encoder"; the roll-out
    is that of S. Abnar, W. Zuidema, "Quantifying Attention Flow in Transformers"
    (arXiv 2005.00928), section 3, applied to Perceiver IO (arXiv 2107.14795), figure 2.
    """
    if not isinstance(model, Perceiver):
        raise ValueError(
            "`model` must be a keras_perceiver Perceiver, which has an encoder and a decoder. "
            f"Received: {model!r}"
        )
    arguments.one_of("part", part, PARTS)
    arguments.one_of("heads", heads, ("mean", "all"))
    given = {"queries": queries, "latents": latents, "cross_attends": cross_attends}
    for name, value in given.items():
        if value is not None and part not in _TAKEN_BY[name]:
            raise ValueError(
                f"`{name}` must be None for part={part!r}; it is for {_TAKEN_BY[name]}. Received: "
                f"{name}={value!r}"
            )
    if part == "rollout" and heads == "all":
        raise ValueError("`heads` must be 'mean' for part='rollout'. Received: heads='all'")
    asked = _Asked(model, queries, latents, cross_attends, heads)
    values = tensors_by_name(model, inputs)
    batch = len(next(iter(values.values())))
    size = _examples_at_once(model, values)
    found = []
    for start in range(0, batch, size):
        some = {name: tensor[start : start + size] for name, tensor in values.items()}
        found.append(_MAPS[part](model, some, asked))
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *found)


_TAKEN_BY = {
    "queries": ("rollout", "decoder"),
    "latents": ("encoder", "latents"),
    "cross_attends": ("encoder",),
}


class _Asked:
    """The chosen queries, latents and cross-attends; checked."""

    def __init__(self, model, queries, latents, cross_attends, heads):
        self.model, self.heads = model, heads
        sizes = model.sizes
        self.latents = _chosen("latents", latents, sizes.num_latents)
        self.cross_attends = _chosen("cross_attends", cross_attends, sizes.num_cross_attends)
        querying = [k for k, one in model.output_descriptions.items() if not one.pools_latents]
        if isinstance(queries, dict):
            unknown = sorted(set(queries) - set(querying))
            if unknown:
                raise ValueError(
                    f"`queries` must name outputs among {querying}. Received: {unknown}"
                )
        elif queries is not None:
            if len(querying) != 1:
                raise ValueError(
                    f"`queries` must be a dict by output for the outputs {querying}. Received: "
                    f"queries={queries!r}"
                )
            queries = {querying[0]: queries}
        self.queries = queries or {}

    def indices(self, key, values, batch):
        """Which queries of an output, whole numbers `(batch, n)`."""
        output = self.model.output_descriptions[key]
        decoded = values.get(f"{key}_indices")  # those of this batch, of which one may choose
        if decoded is not None:
            decoded = ops.convert_to_numpy(decoded)
            return decoded[:, _chosen("queries", self.queries.get(key), decoded.shape[1])]
        raw = {name: ops.convert_to_numpy(one) for name, one in values.items()}
        chosen = _chosen("queries", self.queries.get(key), output.num_queries_of(raw))
        return np.broadcast_to(chosen, (batch, len(chosen)))


def _chosen(name, given, count):
    """Whole numbers below `count`; all of them by default."""
    if given is None:
        return np.arange(count)
    chosen = np.atleast_1d(np.asarray(given))
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not len(chosen):
        raise ValueError(f"`{name}` must be a list of whole numbers. Received: {name}={given!r}")
    if chosen.min() < 0 or chosen.max() >= count:
        raise ValueError(f"`{name}` must lie in [0, {count}). Received: {name}={given!r}")
    return chosen


def _encoder_maps(model, values, asked):
    reads = encoder_calls(model.encoder, values).reads
    lengths = grids(model, values)
    batch, _, _, num_inputs = _map_shape(model, values)
    heads = (model.sizes.num_cross_attention_heads,) if asked.heads == "all" else ()
    shape = (batch, len(asked.cross_attends), *heads, len(asked.latents), num_inputs)
    _require_few_numbers(shape, "`latents`, `cross_attends` or heads='mean'")
    found = np.empty(shape, "float32")
    for place, number in enumerate(asked.cross_attends):
        attention, query, *others = reads[number].arguments()
        query = ops.take(query, asked.latents, axis=1)
        found[:, place] = all_weights(attention, query, *others, heads=asked.heads)
    return _split(_with_sum_one(found), lengths)


def _latent_maps(model, values, asked):
    found = []
    for transformer, latents in encoder_calls(model.encoder, values).transformers:
        for attention, normed in _self_attends(transformer, latents):
            query = ops.take(normed, asked.latents, axis=1)
            found.append(all_weights(attention, query, normed, heads=asked.heads))
    return _with_sum_one(np.stack(found, axis=1))


def _decoder_maps(model, values, asked):
    latents = encoder_calls(model.encoder, values).latents
    return {
        key: _decoder_map(model, key, values, latents, asked, asked.heads)
        for key in model.output_descriptions
    }


def _decoder_map(model, key, values, latents, asked, heads="mean"):
    """Attention of the queries of one output to the latents."""
    batch, num_latents = latents.shape[:2]
    if model.output_descriptions[key].pools_latents:
        shape = (batch, 1, 1, num_latents) if heads == "all" else (batch, 1, num_latents)
        return np.full(shape, 1 / num_latents, "float32")
    indices = asked.indices(key, values, batch)
    one_map = (batch, indices.shape[1], num_latents)
    _require_few_numbers(one_map, "`queries`")
    query, mask = model.queries(key, latents, values, indices)
    block = decoder_layer(model.decoder).cross_attention
    query = block.query_norm(ops.cast(query, block.compute_dtype))
    value = block.value_norm(ops.cast(latents, block.compute_dtype))
    found = all_weights(block.attention, query, value, mask, heads=heads)
    return _with_sum_one(found)


def _rollouts(model, values, asked):
    calls = encoder_calls(model.encoder, values)
    num_inputs = _map_shape(model, values)[-1]
    shares = {}
    for key in model.output_descriptions:
        shares[key] = _decoder_map(model, key, values, calls.latents, asked)
        _require_few_numbers((*shares[key].shape[:2], num_inputs), "`queries`")
    found = {key: np.zeros((*one.shape[:2], num_inputs), "float32") for key, one in shares.items()}
    # From the end of the encoder to its start. `shares`: of each latent, in each query.
    paths = [_through(transformer, latents) for transformer, latents in calls.transformers]
    for number in reversed(range(len(calls.reads))):
        for key, path in shares.items():
            shares[key] = path @ paths[number]
        kept = 0.5 if number else 0  # the first cross-attend reads into learned latents
        for rows, weights in attention_weights(*calls.reads[number].arguments()):
            weights = weights.mean(axis=1) * (1 - kept)
            for key, path in shares.items():
                found[key] += path[:, :, rows] @ weights
        shares = {key: path * kept for key, path in shares.items()}
    lengths = grids(model, values)
    return {key: _split(_with_sum_one(one), lengths) for key, one in found.items()}


def _through(transformer, latents):
    """The roll-out of a latent Transformer, `(batch, num_latents, num_latents)`."""
    rollout = None
    for attention, normed in _self_attends(transformer, latents):
        step = 0.5 * all_weights(attention, normed, normed)
        step += 0.5 * np.eye(step.shape[-1], dtype="float32")
        rollout = step if rollout is None else step @ rollout
    return rollout


def _self_attends(transformer, latents):
    """Yields the attention of each layer, as often as it runs, and its normalised latents."""
    for layer in list(transformer.self_attends) * transformer.num_blocks:
        yield layer.attention, layer.attention_norm(latents)
        latents = layer(latents)


_MAPS = {
    "rollout": _rollouts,
    "encoder": _encoder_maps,
    "latents": _latent_maps,
    "decoder": _decoder_maps,
}


def grids(model, values):
    """{input: the shape in which the model reads it}, in the order of the joined inputs."""
    found = {}
    for key, one in sorted(model.input_descriptions.items()):
        shape = tuple(values[one.modality].shape[1:])
        found[key] = one.grid
        if one.grid is None:
            found[key] = (one.num_inputs_of(shape),)
        elif None in one.grid:
            found[key] = tuple(one.stem_shape(shape)[:-1])
    return found


def _split(maps, lengths):
    """Maps of joined inputs `(..., num_inputs)` by input, each in the shape of its grid."""
    ends = np.cumsum([math.prod(grid) for grid in lengths.values()])
    parts = np.split(maps, ends[:-1], axis=-1)
    return {
        key: part.reshape(*part.shape[:-1], *grid)
        for (key, grid), part in zip(lengths.items(), parts)
    }


def tensors_by_name(model, inputs):
    """The model's inputs as a dict of tensors."""
    specs = {tensor.name: tensor for tensor in model.inputs}
    inputs = inputs if isinstance(inputs, dict) else np.asarray(inputs)
    inputs = model.check_inputs(inputs)
    inputs = inputs if isinstance(inputs, dict) else {next(iter(specs)): inputs}
    return {name: ops.convert_to_tensor(inputs[name], specs[name].dtype) for name in specs}


def chosen_output(model, output):
    """The name of an output of the model; None is its only one."""
    names = list(model.output_descriptions)
    if output is None and len(names) > 1:
        raise ValueError(f"`output` must be one of {names}. Received: output=None")
    return arguments.one_of("output", names[0] if output is None else output, names)


def _map_shape(model, values):
    """(batch, heads, num_latents, num_inputs) of a cross-attend."""
    batch = next(iter(values.values())).shape[0]
    num_inputs = sum(math.prod(grid) for grid in grids(model, values).values())
    return batch, model.sizes.num_cross_attention_heads, model.sizes.num_latents, num_inputs


def _examples_at_once(model, values):
    """As many examples as have one large map together."""
    _, heads, num_latents, num_inputs = _map_shape(model, values)
    return max(1, MOST_AT_ONCE // (heads * num_latents * num_inputs))


def _require_few_numbers(shape, remedy):
    if math.prod(shape[1:]) > MOST_NUMBERS:
        raise ValueError(
            f"The maps of one example would have shape {shape[1:]}, over {MOST_NUMBERS:,} numbers. "
            f"Choose fewer by {remedy}."
        )


def _with_sum_one(maps):
    # Half-precision weights do not sum exactly to 1; the sum is 0 if all inputs are masked.
    total = maps.sum(axis=-1, keepdims=True)
    maps /= np.where(total > 0, total, 1)
    return maps
