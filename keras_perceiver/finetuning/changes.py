"""The changes of fine-tuning: which dense layers have LoRA or int8, which weights are trainable."""

import contextlib
import gc

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.standardization import Standardization
from keras_perceiver.models.perceiver import Perceiver


def require_perceiver(model):
    """Raises ValueError unless `model` comes from one of the builders."""
    if not isinstance(model, Perceiver):
        raise ValueError(
            "`model` must be a model from one of the builders, such as kp.build_classifier. "
            f"Received: {type(model).__name__}"
        )


def dense_layers(model):
    """All dense layers; their order depends only on the model's arguments."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dense)]


def named_variables(model):
    """All variables by name, with a number for equal names: "kernel:0", "kernel:1", ...

    The numbers follow the order of the layers, so they do not change if layers replace their
    kernels or get new variables with other names.
    """
    counts, found = {}, {}
    for variable in model.variables:
        number = counts.get(variable.name, 0)
        counts[variable.name] = number + 1
        found[f"{variable.name}:{number}"] = variable
    return found


def described(model):
    """The changes as JSON-compatible values."""
    layers = dense_layers(model)
    return {
        "int8": [i for i, layer in enumerate(layers) if layer.quantization_mode == "int8"],
        "lora": {
            str(i): [layer.lora_rank, layer.lora_alpha, *layer.kernel.shape]
            for i, layer in enumerate(layers)
            if layer.lora_enabled
        },
        "trained": [name for name, v in named_variables(model).items() if v.trainable],
        "fixed_norms": [i for i, norm in enumerate(_norms(model)) if not norm.trainable],
    }


def checked(about, model, path):
    """The changes that a file describes.

    Raises:
        ValueError: if they cannot be made in `model`. The model is not changed.
    """
    changes, layers = about.get("changes"), dense_layers(model)
    wanted = f"`path` must describe changes of this model. Received: {str(path)!r}, with "
    lists = ("int8", "trained", "fixed_norms")
    if not isinstance(changes, dict) or set(changes) != {"lora", *lists}:
        raise ValueError(f"{wanted}changes {changes!r}")
    if not isinstance(changes["lora"], dict) or any(type(changes[k]) is not list for k in lists):
        raise ValueError(f"{wanted}changes {changes!r}")
    counts = {"int8": len(layers), "fixed_norms": len(_norms(model))}
    for key, count in counts.items():
        for i in changes[key]:
            if type(i) is not int or not 0 <= i < count:
                raise ValueError(f"{wanted}{key} of layer {i!r}, of {count}")
    if not all(isinstance(name, str) for name in changes["trained"]):
        raise ValueError(f"{wanted}trained weights {changes['trained']!r}")
    for i, found in changes["lora"].items():
        if not i.isdecimal() or int(i) >= len(layers):
            raise ValueError(f"{wanted}LoRA of dense layer {i!r}, of {len(layers)}")
        shape = [int(size) for size in layers[int(i)].kernel.shape]
        if not isinstance(found, list) or len(found) != 4 or found[2:] != shape:
            raise ValueError(f"{wanted}LoRA {found!r} of dense layer {i}, of shape {shape}")
        check_rank(found[0], [layers[int(i)]])
        arguments.number("alpha", found[1], above=0)
    return changes


def check_learning_rate(rate):
    """Raises ValueError unless `rate` is a number above 0 or a schedule."""
    if not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        arguments.number("learning_rate", rate, above=0)


def check_rank(rank, layers):
    """Raises ValueError if the rank is larger than the longest side of all kernels."""
    arguments.whole_number("rank", rank)
    largest = max(max(layer.kernel.shape) for layer in layers)
    if rank > largest:
        raise ValueError(
            f"`rank` must be at most {largest}, the longest side of the chosen kernels. "
            f"Received: rank={rank}"
        )


def repeat(model, changes):
    """Makes the described changes, without the weights, in a model with the same arguments."""
    layers = dense_layers(model)
    round_kernels([layers[i] for i in changes["int8"]])
    for i, (rank, alpha, *_) in changes["lora"].items():
        layers[int(i)].enable_lora(rank, lora_alpha=alpha)
    norms = _norms(model)
    for i in changes["fixed_norms"]:
        norms[i].trainable = False
    trained = set(changes["trained"])
    for name, variable in named_variables(model).items():
        if variable.trainable and name not in trained:
            variable.trainable = False
    forget_traces(model)


def round_kernels(layers):
    """Quantizes dense layers to int8."""
    with _without_slow_collections():
        for layer in layers:
            layer.quantize("int8")


def freeze(model, layers_to_train):
    """Makes all variables non-trainable but those of `layers_to_train`."""
    kept = {id(v) for layer in layers_to_train for v in layer.trainable_variables}
    for norm in _norms(model):
        norm.trainable = False  # its statistics must not change either
    for variable in model.trainable_variables:
        if id(variable) not in kept:
            variable.trainable = False


def forget_traces(model):
    """Drops compiled functions that refer to replaced variables."""
    for part in (model, model.encoder, model.decoder):
        part.train_function = part.test_function = part.predict_function = None
    model.forget_compiled_parts()


def compile_again(model, learning_rate=None):
    """Compiles with the same arguments and a new optimizer, for the current trainable weights."""
    forget_traces(model)
    if not model.compiled:
        return
    config = keras.saving.deserialize_keras_object(model.get_compile_config())
    optimizer = config["optimizer"]
    if learning_rate is not None:
        settings = {**optimizer.get_config(), "learning_rate": learning_rate}
        optimizer = type(optimizer).from_config(settings)
    if optimizer.weight_decay:  # the config lacks the builders' exclusions
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(**{**config, "optimizer": optimizer})


def _norms(model):
    """The layers with statistics that are no trainable weights."""
    kinds = (keras.layers.BatchNormalization, Standardization)
    return [layer for layer in model._flatten_layers() if isinstance(layer, kinds)]


@contextlib.contextmanager
def _without_slow_collections():
    """Excludes existing objects from garbage collection, which Keras runs for each kernel."""
    if gc.get_freeze_count():  # the user has frozen objects; do not unfreeze them
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
