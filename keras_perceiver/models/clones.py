"""`keras.models.clone_model` of a `Perceiver`.

Keras clones a functional model layer by layer, each from its own configuration. A layer that is
shared by the encoder and the decoder (an embedding with a tied output) would become two layers, so
the copy of a Perceiver is built from its descriptions instead.
"""

import keras


def is_cloning(operation_fn):
    """Whether Keras runs through a functional model to clone it, rather than to call it."""
    return operation_fn.__module__ == "keras.src.models.cloning"


class Clone:
    """Passed to Keras in place of the clone's output tensors; holds the config to build the clone.

    Raises:
        ValueError: if `clone_model` was called with a `clone_function` that changes a layer, or
            with a `call_function`: a Perceiver is built from its descriptions, not from layers.
    """

    def __init__(self, model, clone_layer, call_layer):
        for layer in model._flatten_layers(include_self=False):
            if not isinstance(layer, keras.Model) and not _same(layer, clone_layer(layer)):
                self._refuse("clone_function", f"one that changes layer '{layer.name}'")
        if call_layer is not None:
            self._refuse("call_function", repr(call_layer))
        self.config = model.get_config()

    def _refuse(self, name, received):
        raise ValueError(
            f"clone_model() of a Perceiver takes no `{name}`: the copy is built from the model's "
            f"descriptions. For other layers, build another kp.Perceiver. Received: {received}"
        )


def _same(layer, other):
    return type(layer) is type(other) and layer.get_config() == other.get_config()
