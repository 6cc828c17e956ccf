"""Checks that names work everywhere: in Keras, in SavedModel signatures and in other formats."""

import collections
import keyword
import re

WORD = re.compile("[A-Za-z][A-Za-z0-9_]*")
MODEL_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]*")
TAKEN = {  # names of layers of the models, of function arguments, and of tensors in signatures
    *("answers", "decoder", "encoder", "indices", "inputs", "latents", "output_query_decoder"),
    *("queries", "self", "training"),
}
TAKEN_BEGINNINGS = ("encoder_cross_attention", "latent_transformer")
# Endings of the names of an output's layers.
OWN_ENDINGS = ("head", "mean", "queries", "query", "upsampling")


def check_word(what, name):
    """Raises ValueError unless `name` is a word of ASCII letters, digits and underscores."""
    good = isinstance(name, str) and WORD.fullmatch(name) and not keyword.iskeyword(name)
    if not good:
        raise ValueError(
            f"{what} must be words of the letters a to z, digits and underscores that begin with a "
            f"letter and are not Python keywords. Received: {name!r}"
        )
    if name in TAKEN or name.startswith(TAKEN_BEGINNINGS):
        raise ValueError(
            f"{what} must not be one that the model uses itself, like 'latents', 'indices' and "
            f"'encoder'. Received: {name!r}"
        )


def check_model_name(name):
    """Raises ValueError unless a model can have this name."""
    if not isinstance(name, str) or not MODEL_NAME.fullmatch(name):
        raise ValueError(
            "`name` must be of the letters a to z, digits, underscores, dots and hyphens, and "
            f"begin with a letter or a digit. Received: name={name!r}"
        )


def check_output_names(outputs):
    """Raises ValueError if names of outputs differ only in upper and lower case."""
    _all_different("The outputs of a model", [(key, "`outputs`") for key in outputs])


def check_tensor_names(inputs, outputs):
    """Raises ValueError if two tensors or layers of a model would have the same name.

    Args:
        inputs: Bound inputs by name.
        outputs: Bound outputs by name.
    """
    named = []
    for key, reader in inputs.items():
        named += [(name, f"input '{key}'") for name in (*reader.raw_specs(), f"{key}_inputs")]
    for key, output in outputs.items():
        shared = inputs[output.shaped_by].raw_specs() if output.shaped_by in inputs else {}
        sources = {} if output.pools_latents else output.sources()
        own = [name for name in sources if name not in shared]
        own += [f"{key}_{ending}" for ending in OWN_ENDINGS]
        named += [(name, f"output '{key}'") for name in own]
    _all_different("The tensors and layers of a model", named)


def _all_different(what, named):
    owners = collections.defaultdict(list)
    for name, owner in named:
        owners[name.lower()].append(f"'{name}' of {owner}")
    for same in owners.values():
        if len(same) > 1:
            raise ValueError(
                f"{what} must have different names, ignoring case. Received: {' and '.join(same)}"
            )
