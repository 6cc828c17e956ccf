"""What fine-tuning changed in a model: which dense layers have LoRA or int8, what is trained."""

import contextlib
import gc

import keras

from keras_perceiver import arguments
from keras_perceiver.models.perceiver import Perceiver


def require_perceiver(model):
    """Raises ValueError unless `model` comes from one of the builders."""
    if not isinstance(model, Perceiver):
        raise ValueError(
            "`model` must be a model from one of the builders, such as kp.build_classifier. "
            f"Received: {type(model).__name__}"
        )


def dense_layers(model):
    """All dense layers, in the order that the same arguments always give."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dense)]


def named_variables(model):
    """All variables by name, numbered where several have the same: "kernel:0", "kernel:1", ...

    Numbers follow the order of the layers, so they stay what they are when layers exchange their
    kernels or get new variables of other names.
    """
    counts, found = {}, {}
    for variable in model.variables:
        number = counts.get(variable.name, 0)
        counts[variable.name] = number + 1
        found[f"{variable.name}:{number}"] = variable
    return found


def described(model):
    """The changes, as JSON can hold them."""
    layers = dense_layers(model)
    return {
        "int8": [i for i, layer in enumerate(layers) if layer.quantization_mode == "int8"],
        "lora": {
            str(i): [layer.lora_rank, layer.lora_alpha, *layer.kernel.shape]
            for i, layer in enumerate(layers)
            if layer.lora_enabled
        },
        "trained": [name for name, v in named_variables(model).items() if v.trainable],
        "fixed_norms": [i for i, norm in enumerate(_batch_norms(model)) if not norm.trainable],
    }


def checked(about, model, path):
    """The changes that a file describes.

    Raises:
        ValueError: unless they can be made in `model`, which is not touched.
    """
    changes, layers = about.get("changes"), dense_layers(model)
    wanted = f"`path` must describe changes of this model. Received: {str(path)!r}, with "
    lists = ("int8", "trained", "fixed_norms")
    if not isinstance(changes, dict) or set(changes) != {"lora", *lists}:
        raise ValueError(f"{wanted}changes {changes!r}")
    if not isinstance(changes["lora"], dict) or any(type(changes[k]) is not list for k in lists):
        raise ValueError(f"{wanted}changes {changes!r}")
    counts = {"int8": len(layers), "fixed_norms": len(_batch_norms(model))}
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
    """Raises ValueError unless LoRA matrices of that rank are narrower than some kernel's side."""
    arguments.whole_number("rank", rank)
    largest = max(max(layer.kernel.shape) for layer in layers)
    if rank > largest:
        raise ValueError(
            f"`rank` must be at most {largest}, the longest side of the kernels it is for. "
            f"Received: rank={rank}"
        )


def repeat(model, changes):
    """Makes the described changes in a model of the same arguments, weights aside."""
    layers = dense_layers(model)
    round_kernels([layers[i] for i in changes["int8"]])
    for i, (rank, alpha, *_) in changes["lora"].items():
        layers[int(i)].enable_lora(rank, lora_alpha=alpha)
    norms = _batch_norms(model)
    for i in changes["fixed_norms"]:
        norms[i].trainable = False
    trained = set(changes["trained"])
    for name, variable in named_variables(model).items():
        if variable.trainable and name not in trained:
            variable.trainable = False
    forget_traces(model)


def round_kernels(layers):
    """Makes dense layers int8."""
    with _quick_collections():
        for layer in layers:
            layer.quantize("int8")


def freeze(model, layers_to_train):
    """Leaves only the variables of `layers_to_train` trainable."""
    kept = {id(v) for layer in layers_to_train for v in layer.trainable_variables}
    for norm in _batch_norms(model):
        norm.trainable = False  # its averages must not move either
    for variable in model.trainable_variables:
        if id(variable) not in kept:
            variable.trainable = False


def forget_traces(model):
    """Drops compiled functions that still hold variables which are gone."""
    for one in (model, model.encoder, model.decoder):
        one.train_function = one.test_function = one.predict_function = None
    model.forget_compiled_parts()


def compile_again(model, learning_rate=None):
    """Compiles with the same arguments and a fresh optimizer, for the weights trained now."""
    forget_traces(model)
    if not model.compiled:
        return
    config = keras.saving.deserialize_keras_object(model.get_compile_config())
    optimizer = config["optimizer"]
    if learning_rate is not None:
        settings = {**optimizer.get_config(), "learning_rate": learning_rate}
        optimizer = type(optimizer).from_config(settings)
    if optimizer.weight_decay:  # not in its config; what the builders exclude
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(**{**config, "optimizer": optimizer})


def _batch_norms(model):
    kind = keras.layers.BatchNormalization
    return [layer for layer in model._flatten_layers() if isinstance(layer, kind)]


@contextlib.contextmanager
def _quick_collections():
    """Keeps what exists out of garbage collections, of which Keras runs one for each kernel."""
    if gc.get_freeze_count():  # someone else's business
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
