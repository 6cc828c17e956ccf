"""Which of the papers' models a model is, or in what it differs from the nearest."""

import dataclasses
import inspect

from keras_perceiver import presets
from keras_perceiver.models.sizes import Sizes
from keras_perceiver.presets.preset import OF_EVERY_LAYER

# Builders that make their input themselves, and its kind.
_INPUT_OF = {
    "build_masked_language_model": "text",
    "build_optical_flow": "frames",
    "build_entity_encoder": "entities",
}
_OUTPUTS_OF = {
    "build_classifier": ("classes",),
    "build_masked_language_model": ("tokens",),
    "build_optical_flow": ("flow",),
    "build_autoencoder": ("reconstruction", "classes"),
    "build_entity_encoder": ("per_input", "mean"),
    "build_multitask_classifier": ("classes", "values"),
}
# They change how a model starts and computes, not which function it is.
_NOT_OF_THE_MODEL = ("attention", "initialization", "recompute")


def nearest_preset(model):
    """The nearest preset and in what the model differs from it.

    Args:
        model: A `Perceiver`.

    Returns:
        The `Preset` and a list of (what, here, there); or None and an empty list if none of the
        papers' models reads the same kinds of inputs for the same kinds of outputs.
    """
    found = []
    for name in presets.list():
        preset = presets.get(name)
        differences = _differences(model, preset)
        if differences is not None:
            found.append((len(differences), preset, differences))
    if not found:
        return None, []
    _, preset, differences = min(found, key=lambda one: one[0])
    return preset, differences


def expected_sizes(preset):
    """The `Sizes` of a preset's model, without building it."""
    fields = {field.name: field.default for field in dataclasses.fields(Sizes)}
    known = inspect.signature(preset.builder).parameters
    for name in fields:
        default = known[name].default if name in known else None
        if default is not None:
            fields[name] = default
    given = {name: value for name, value in preset.arguments.items() if name in fields}
    return Sizes(**{**fields, **given}).config()


def _differences(model, preset):
    """A list of (what, here, there), or None if the kinds of inputs or outputs differ."""
    readers = model.input_descriptions
    described = preset.arguments.get("inputs")
    if described is None:
        kinds = [_INPUT_OF[preset.builder.__name__]]
    else:
        described = described if isinstance(described, dict) else {"": described}
        kinds = sorted(one.kind for one in described.values())
    ours = {one.kind: one for one in readers.values()}
    if sorted(one.kind for one in readers.values()) != kinds:
        return None
    outputs = {one.kind for one in model.output_descriptions.values()}
    if not outputs <= set(_OUTPUTS_OF[preset.builder.__name__]):
        return None
    found = []
    if described is None:
        (reader,) = readers.values()
        config = reader.get_config()
        found += _unlike("", config, {k: v for k, v in preset.arguments.items() if k in config})
    else:
        for one in described.values():
            config = one.get_config()
            config = {k: v for k, v in config.items() if k not in OF_EVERY_LAYER}
            found += _unlike(f"{one.kind}: ", ours[one.kind].get_config(), config)
    for name in ("num_classes", "query_dim", "head"):
        values = [getattr(one, name, None) for one in model.output_descriptions.values()]
        if name in preset.arguments and len(values) == 1:
            found += _unlike("", {name: values[0]}, {name: preset.arguments[name]})
    sizes, expected = model.sizes.config(), expected_sizes(preset)
    expected = {k: v for k, v in expected.items() if k not in _NOT_OF_THE_MODEL}
    return found + _unlike("", sizes, expected)


def _unlike(prefix, here, there):
    return [
        (prefix + name, here.get(name), value)
        for name, value in there.items()
        if _plain(here.get(name)) != _plain(value)
    ]


def _plain(value):
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    return value
