"""Which operations of an OpenVINO model stay in floating point."""

import re

from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.layers.separable_query_attention import SeparableQueryAttention

_FLOAT = (SeparableCrossAttention, SeparableQueryAttention)


def float_operations(model, converted, in_float):
    """Names of all operations in separable or folded attention and in the layers `in_float`.

    8 bits do not resolve the range of statistics, folded queries and their scores.

    Args:
        model: A `Perceiver`.
        converted: The `openvino.Model` made from it.
        in_float: Names of layers, or ends of their paths such as
            "latent_transformer/self_attention_0".

    Raises:
        ValueError: if there is no such layer.
    """
    if isinstance(in_float, str) or not all(isinstance(name, str) and name for name in in_float):
        raise ValueError(
            f"`in_float` must be a tuple of names of layers. Received: in_float={in_float!r}"
        )
    paths = {layer.path for layer in model._flatten_layers() if isinstance(layer, _FLOAT)}
    operations = [operation.get_friendly_name() for operation in converted.get_ops()]
    ignored = set()
    for path in [*sorted(paths), *in_float]:
        found = _inside(path, operations)
        if not found and path in in_float:
            known = sorted(_first_names(model))
            raise ValueError(
                f"`in_float` must be names of layers, such as {known}. Received: {path!r}"
            )
        ignored.update(found)
    return sorted(ignored)


def _inside(path, operations):
    """The operations of a layer. Keras gives layers that are called again a number."""
    parts = [re.escape(part) + r"(_\d+)?" for part in path.split("/")]
    pattern = re.compile("(.*/)?" + "/".join(parts) + "/.*")
    return [name for name in operations if pattern.fullmatch(name)]


def _first_names(model):
    """Names of the layers of encoder and decoder."""
    return {layer.name for part in (model.encoder, model.decoder) for layer in part.layers}
