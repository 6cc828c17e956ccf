"""Formats whose runtimes cannot do attention in chunks or on separable grids yet."""

from keras_perceiver.layers import (
    Attention,
    SeparableCrossAttention,
    SeparableQueryAttention,
)


def check_plain(model, what):
    """Raises ValueError unless a model computes all attention the plain way, under clear names.

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
                f"`model` must compute attention the plain way for {what}, which gives wrong "
                "numbers or does not load otherwise. Build it again with attention='plain' and "
                "the same weights: plain = kp.Perceiver.from_config({**model.get_config(), "
                "'attention': 'plain'}); plain.set_weights(model.get_weights()). Received: "
                f"attention={model.sizes.attention!r}, with {layer.path} of "
                f"{type(layer).__name__}"
            )
