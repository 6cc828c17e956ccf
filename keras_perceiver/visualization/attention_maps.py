"""Attention from the decoder's queries through the latents back to the inputs."""

import keras
import numpy as np

from keras_perceiver.layers import CrossAttention, LatentTransformer, OutputQueryDecoder
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.visualization.attention_rollout import attention_rollout


def attention_maps(model, inputs):
    """How much each output query attends to each input, through the latents.

    The map is the product of three matrices, each averaged over heads: the decoder's attention of
    queries to latents, the rollout of the self-attention among latents (see `attention_rollout`),
    and the encoder's attention of latents to inputs. With several cross-attends (Perceiver 1), the
    last cross-attend and the latent Transformer after it are used. A model that decodes the mean of
    the latents counts as one query that attends to all latents equally.

    A map shows where the model attends, not how it uses the information: the values, the
    feed-forward blocks and what the latents keep from earlier cross-attends are left out, and heads
    that attend to different places are averaged. It is a visual aid, not an explanation.

    Args:
        model: A `Perceiver`, such as builders return.
        inputs: A batch of model inputs: an array, or a dict of arrays by name.

    Returns:
        NumPy floats `(batch, num_queries, num_inputs)`; each map sums to 1. The inputs of a grid
        are in row-major order. The inputs of several modalities, and the queries of several
        outputs, are concatenated in the order of their sorted names.

    Raises:
        ValueError: if `model` is not a Perceiver, or `inputs` do not fit the model.

    Example:

    >>> maps = kp.visualization.attention_maps(model, images)  # images: (batch, 8, 8, 1)
    >>> maps[:, 0].reshape(-1, 8, 8)

    Reference: Perceiver (arXiv 2103.03206), figure 3, shows the last of the three matrices;
    Perceiver IO (arXiv 2107.14795), figure 2, the path from queries to inputs.
    """
    if not isinstance(model, Perceiver):
        raise ValueError(
            "`model` must be a keras_perceiver Perceiver, which has an encoder and a decoder. "
            f"Received: {model!r}"
        )
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    values = _by_name(model, inputs)
    stack = _last_call(encoder.outputs, LatentTransformer)
    cross_attend = _last_call(stack.input_tensors, CrossAttention)
    latents, input_scores = _scores(encoder, values, cross_attend)
    latents, latent_scores = stack.operation(latents, return_attention_scores=True)

    maps = attention_rollout([keras.ops.convert_to_numpy(s) for s in latent_scores])
    maps = maps @ _mean_over_heads(input_scores)
    decode = _last_call(decoder.outputs, OutputQueryDecoder)
    if decode is None:
        return _with_sum_one(maps.mean(axis=1, keepdims=True))
    _, query_scores = _scores(decoder, {**values, "latents": latents}, decode)
    return _with_sum_one(_mean_over_heads(query_scores) @ maps)


def _by_name(model, inputs):
    """The model's inputs as a dict of tensors."""
    specs = {tensor.name: tensor for tensor in model.inputs}
    inputs = inputs if isinstance(inputs, dict) else np.asarray(inputs)
    inputs = model.check_inputs(inputs)
    inputs = inputs if isinstance(inputs, dict) else {next(iter(specs)): inputs}
    return {name: keras.ops.convert_to_tensor(inputs[name], specs[name].dtype) for name in specs}


def _last_call(tensors, layer_class):
    """The node of the last call of a `layer_class` before these symbolic tensors, or None."""
    waiting, seen = list(tensors), set()
    while waiting:
        layer, node_index, _ = waiting.pop(0)._keras_history
        node = layer._inbound_nodes[node_index]
        if isinstance(layer, layer_class):
            return node
        if id(node) not in seen:
            seen.add(id(node))
            waiting.extend(node.input_tensors)
    return None


def _scores(model, values, node):
    """Runs one layer call of a functional model and also returns the attention weights."""
    # The layer is called on values: a symbolic call would become part of the user's model.
    given = {id(tensor): tensor for tensor in node.input_tensors}
    probe = keras.Model({t.name: t for t in model.inputs}, list(given.values()))
    results = dict(zip(given, probe({t.name: values[t.name] for t in model.inputs})))
    args, kwargs = keras.tree.map_structure(
        lambda argument: results.get(id(argument), argument),
        (node.arguments.args, node.arguments.kwargs),
    )
    return node.operation(*args, **{**kwargs, "return_attention_scores": True})


def _mean_over_heads(scores):
    return keras.ops.convert_to_numpy(keras.ops.cast(scores, "float32")).mean(axis=1)


def _with_sum_one(maps):
    # Half-precision weights do not sum exactly to 1; the sum is 0 if all inputs are masked.
    total = maps.sum(axis=-1, keepdims=True)
    return maps / np.where(total > 0, total, 1)
