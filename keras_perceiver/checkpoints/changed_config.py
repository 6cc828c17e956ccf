"""A saved model with some of its arguments changed."""

import keras

from keras_perceiver import arguments
from keras_perceiver.checkpoints.preparations import saved_preparation
from keras_perceiver.models.compile_checks import CompileArguments, check_compile_arguments
from keras_perceiver.models.compiling import compile_model
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.models.preset_directory import load_preset
from keras_perceiver.models.sizes import Sizes
from keras_perceiver.models.transfer import transfer
from keras_perceiver.presets.preset import OF_EVERY_LAYER


def with_changes(directory, overrides):
    """The model in a directory of `save_to_preset`, with `overrides` in place of its arguments.

    Args:
        directory: The directory.
        overrides: Arguments of its inputs, its outputs, of `Perceiver` and of `compile` by name.
            With one of `compile`, such as `learning_rate`, the others have the builders' defaults.

    Returns:
        A `Perceiver`. Heads with other classes are fresh, learned positions for other sizes are cut
        or interpolated; a line says so.

    Raises:
        TypeError: if nothing has such an argument.
        ValueError: if other weights would not fit.
    """
    overrides = dict(overrides)
    compiled = arguments.flag("compile", overrides.pop("compile", True))
    given = {key: overrides.pop(key) for key in CompileArguments._fields if key in overrides}
    compiling = CompileArguments(**given)
    check_compile_arguments(compiling)
    saved = load_preset(directory, compile=compiled)  # which checks all files
    saved.preparation = saved_preparation(directory)
    model = _changed(directory, saved, overrides)
    if given and compiled:
        weight_decay = 1e-2 if compiling.weight_decay is None else compiling.weight_decay
        compile_model(model, compiling._replace(weight_decay=weight_decay))
    return model


def _changed(directory, saved, overrides):
    if not overrides:
        return saved
    config = saved.get_config()
    inputs, outputs = _configs(config["inputs"]), _configs(config["outputs"])
    described = {key for part in (*inputs, *outputs) for key in part} - set(OF_EVERY_LAYER)
    own = {*Sizes.__dataclass_fields__, *CompileArguments._fields, "compile", "name", "dtype"}
    arguments.check_known("from_preset", overrides, sorted(own | described))
    heads = set()
    for name, value in overrides.items():
        if name in described:
            for part in (*inputs, *outputs):
                if name in part:
                    part[name] = value
            heads |= {f"{output}_head" for output in saved.output_descriptions}
        else:
            dtype = keras.dtype_policies.get(value) if name == "dtype" else None
            config[name] = keras.saving.serialize_keras_object(dtype) if dtype else value
    changed = Perceiver.from_config(config)
    report = transfer(saved, changed, part="all")
    lost = [path for path in report.fresh if path.partition("/")[0] not in heads]
    if lost:
        raise ValueError(
            f"`overrides` must leave the weights of {str(directory)!r} in place. Received: "
            f"{overrides}, with which these have no value: {lost}"
        )
    for title, paths in (("Fresh", report.fresh), ("Cut or interpolated", report.resized)):
        if paths:
            print(f"{title}: {', '.join(paths)}")
    changed.preparation = saved.preparation and _prepared_for(overrides, saved.preparation)
    if saved.compiled:
        changed.compile_from_config(saved.get_compile_config())
    return changed


def _configs(serialized):
    """The configs of all descriptions in a serialized description or dict of these."""
    if "class_name" in serialized and "config" in serialized:
        inside = serialized["config"]
        return [inside] if isinstance(inside, dict) else []
    return [config for part in serialized.values() for config in _configs(part)]


def _prepared_for(overrides, preparation):
    """The preparation with the sizes among the overrides, and no names of other classes."""
    config = preparation.get_config()
    changes = {key: value for key, value in overrides.items() if key in config and key != "name"}
    if "num_classes" in overrides and "class_names" in config:
        changes["class_names"] = None
    return type(preparation).from_config({**config, **changes}) if changes else preparation
