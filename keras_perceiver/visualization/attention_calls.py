"""What the attention layers of a model are given when it reads some inputs."""

from typing import NamedTuple

import keras
from keras import ops

from keras_perceiver.layers import CrossAttention, LatentTransformer, OutputQueryDecoder
from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention


class Read(NamedTuple):
    """A cross-attend of the encoder: its layer and what it was given."""

    layer: CrossAttention
    latents: object  # (batch, num_latents, latent_dim)
    value: object  # an array (batch, num_inputs, input_dim), or the parts of separable attention
    mask: object  # booleans (batch, num_inputs) or None

    def arguments(self):
        """The arguments of `attention_weights`."""
        value = self.value
        if isinstance(self.layer, SeparableCrossAttention):
            value = self.layer.join(value)
        value = ops.cast(value, self.layer.compute_dtype)
        query = self.layer.query_norm(self.latents)
        return (self.layer.attention, query, self.layer.value_norm(value), None, self.mask)


class EncoderCalls(NamedTuple):
    """The cross-attends of an encoder, and the latents that each latent Transformer was given."""

    reads: list
    transformers: list  # pairs of a LatentTransformer and its latents
    latents: object  # of the encoder's end


def encoder_calls(encoder, values):
    """Runs the encoder; returns its `EncoderCalls`.

    Args:
        encoder: The functional model `encoder`.
        values: Tensors by name of the encoder's inputs.
    """
    reading = list(reversed(calls(encoder.outputs, CrossAttention)))
    thinking = list(reversed(calls(encoder.outputs, LatentTransformer)))
    wanted = {
        "reads": [_given(node, "query", "value", "value_mask") for node in reading],
        "transformers": [_given(node, "inputs") for node in thinking],
        "latents": encoder.outputs,
    }
    found = _computed(encoder, wanted, values)
    reads = [
        Read(node.operation, given["query"], given["value"], given["value_mask"])
        for node, given in zip(reading, found["reads"])
    ]
    transformers = [
        (node.operation, given["inputs"]) for node, given in zip(thinking, found["transformers"])
    ]
    return EncoderCalls(reads, transformers, found["latents"][0])


def calls(tensors, layer_class):
    """The nodes of all calls of a `layer_class` before these symbolic tensors, the last first."""
    waiting, seen, found = list(tensors), set(), []
    while waiting:
        layer, node_index, _ = waiting.pop(0)._keras_history
        node = layer._inbound_nodes[node_index]
        if id(node) not in seen:
            seen.add(id(node))
            waiting.extend(node.input_tensors)
            if isinstance(layer, layer_class):
                found.append(node)
    return found


def decoder_layer(decoder):
    """The `OutputQueryDecoder` of the functional model `decoder`, or None."""
    return next((one for one in decoder.layers if isinstance(one, OutputQueryDecoder)), None)


def _given(node, *names):
    """Arguments of a call; the first are also known by their place."""
    by_place = dict(zip(names, node.arguments.args))
    return {name: node.arguments.kwargs.get(name, by_place.get(name)) for name in names}


def _computed(model, symbolic, values):
    """Replaces the symbolic tensors of a structure by what they are for these `values`."""
    # A model of its own: a symbolic call of a layer would become part of the user's model.
    tensors = [one for one in keras.tree.flatten(symbolic) if isinstance(one, keras.KerasTensor)]
    tensors = list({id(one): one for one in tensors}.values())
    given = {tensor.name: tensor for tensor in model.inputs}
    results = keras.Model(given, tensors)({name: values[name] for name in given})
    results = dict(zip(map(id, tensors), results))
    return keras.tree.map_structure(lambda one: results.get(id(one), one), symbolic)
