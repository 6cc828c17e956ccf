"""Which layers stay in floating point in int8 files."""

import re

from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.layers.separable_query_attention import SeparableQueryAttention

_FLOAT = (FourierEncoding, SeparableCrossAttention, SeparableQueryAttention)


def float_layers(model, in_float):
    """Paths of the Fourier encodings, of separable attention, and of the layers `in_float`.

    8 bits resolve neither the phases of high frequencies nor statistics, folded queries and their
    scores.

    Args:
        model: A `Perceiver`.
        in_float: Names of layers, or ends of their paths such as
            "latent_transformer/self_attention_0".

    Raises:
        ValueError: if there is no such layer.
    """
    if not isinstance(in_float, (tuple, list)):
        raise ValueError(
            f"`in_float` must be a tuple of names of layers. Received: in_float={in_float!r}"
        )
    layers = [*model.encoder._flatten_layers(), *model.decoder._flatten_layers()]
    paths = [layer.path for layer in layers if isinstance(layer, _FLOAT)]
    for name in in_float:
        named = [layer.path for layer in layers if f"/{layer.path}".endswith(f"/{name}")]
        if not name or not named:
            known = sorted({layer.name for layer in (*model.encoder.layers, *model.decoder.layers)})
            raise ValueError(
                f"`in_float` must be names of layers, such as {known}. Received: {name!r}"
            )
        paths += named
    return paths


def operations_of(paths, converted):
    """Names of the operations of an `openvino.Model` that belong to layers.

    Keras adds a number to the name of a layer that is called again.
    """
    names = [operation.get_friendly_name() for operation in converted.get_ops()]
    found = set()
    for path in paths:
        parts = [re.escape(part) + r"(_\d+)?" for part in path.split("/")]
        pattern = re.compile("(.*/)?" + "/".join(parts) + "/.*")
        found.update(name for name in names if pattern.fullmatch(name))
    return sorted(found)
