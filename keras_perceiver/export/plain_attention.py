"""A check for formats that do not support chunked or separable attention yet."""

from keras_perceiver.layers import (
    Attention,
    SeparableCrossAttention,
    SeparableQueryAttention,
)


def check_plain(model, what):
    """Raises ValueError unless all attention is plain and no output has the name of an input.

    Args:
        model: A `Perceiver`.
        what: Name of the format.
    """
    shared = sorted(set(model.output_descriptions) & {tensor.name for tensor in model.inputs})
    if shared:
        raise ValueError(
            f"`model` must give its outputs other names than its inputs for {what}. Received: "
            f"{shared} as both"
        )
    for layer in model._flatten_layers():
        separable = isinstance(layer, (SeparableCrossAttention, SeparableQueryAttention))
        if separable or (isinstance(layer, Attention) and layer.chunked):
            raise ValueError(
                f"`model` must use plain attention for {what}; with other attention the file gives "
                "wrong numbers or does not load. Build it again with attention='plain' and "
                "the same weights: plain = kp.Perceiver.from_config({**model.get_config(), "
                "'attention': 'plain'}); plain.set_weights(model.get_weights()). Received: "
                f"attention={model.sizes.attention!r}, with {layer.path} of "
                f"{type(layer).__name__}"
            )
