"""One call from the name of a model, or the place of its weights, to the model."""

import os
from functools import partial

import numpy as np

from keras_perceiver import arguments
from keras_perceiver.checkpoints.changed_config import with_changes
from keras_perceiver.checkpoints.fill import fill
from keras_perceiver.checkpoints.hub import HUB, downloaded
from keras_perceiver.checkpoints.huggingface_config import describe
from keras_perceiver.checkpoints.layouts import from_pytorch
from keras_perceiver.checkpoints.preparations import preparation_of
from keras_perceiver.checkpoints.sources import safetensors_source
from keras_perceiver.checkpoints.weight_names import names_of
from keras_perceiver.models.position_tables import resized, tables_of
from keras_perceiver.models.preset_directory import is_preset_directory
from keras_perceiver.presets import get
from keras_perceiver.presets import list as names_of_presets

NUMERICS = ("huggingface", "deepmind")
_HEADS = ("classes_head/", "label_head/")
_TIED, _TABLE = "embedding_decoder.weight", "perceiver.input_preprocessor.embeddings.weight"


def from_preset(
    where: str | os.PathLike,
    *,
    numerics: str = "huggingface",
    revision: str | None = None,
    **overrides,
):
    """Builds a model from a preset, with its weights if there are any.

    Args:
        where: One of

            - the name of a preset, from `kp.presets.list()`: random weights;
            - a directory of `model.save_to_preset`, or of Hugging Face's transformers with
              `config.json` and `model.safetensors`;
            - "hf://user/name": such a directory on the Hugging Face hub, downloaded once. The
              published models are `kp.presets.get(name).huggingface` of six presets.
        numerics: For directories of transformers: "huggingface" computes what transformers
            computes, "deepmind" what DeepMind's code computes, for which the published weights were
            trained. They differ in the GELU, in masked rows and queries, and in the decoder or the
            convolution of two image classifiers.
        revision: Branch, tag or commit on the hub. Default: the main branch.
        **overrides: Arguments of the model's builder or of its inputs: `num_classes=10` (the head
            is then fresh, and a line says so), `height=288`, `max_length=512` (learned positions
            are cut or interpolated), `compile=False`, `learning_rate=1e-4`, ... For directories of
            `save_to_preset`: arguments of the inputs, the outputs and `kp.Perceiver`.

    Returns:
        A compiled `Perceiver`. Its `preparation`, if there is one for such a model, is a layer from
        raw data to its inputs, which also makes its outputs readable; see `kp.preparation`.

    Raises:
        ValueError: if there is nothing of that name; a file is truncated or damaged; or weights
            and model do not fit, with the names and shapes of both sides. Weights in PyTorch's
            .bin files are refused, since reading one can run any code.
        TypeError: if an override is unknown; suggests the closest known argument.
        ImportError: if a package is missing: safetensors for directories of transformers,
            huggingface_hub for "hf://" (`pip install keras-perceiver[checkpoints]`).

    Example:

    >>> model = kp.from_preset("hf://deepmind/language-perceiver")
    >>> inputs = model.preparation(["The capital of France is [MASK][MASK][MASK][MASK][MASK]."])
    >>> model.preparation.readable(model.predict(inputs), inputs)
    >>> model = kp.from_preset("hf://deepmind/vision-perceiver-fourier", num_classes=5)
    """
    arguments.one_of("numerics", numerics, NUMERICS)
    arguments.optional_text("revision", revision)
    if isinstance(where, str) and where in names_of_presets():
        model = get(where).build(**overrides)
        model.preparation = preparation_of(model, "deepmind")
        return model
    if isinstance(where, str) and where.startswith(HUB):
        directory = downloaded(where, revision)
    else:
        directory = arguments.path("where", where)
        if not directory.is_dir():
            raise ValueError(
                "`where` must be the name of a preset, a directory, or 'hf://user/name'. Received: "
                f"where={str(where)!r}. Presets: {', '.join(names_of_presets())}"
            )
    if is_preset_directory(directory):
        return with_changes(directory, overrides)
    return _from_transformers(directory, numerics, overrides)


def _from_transformers(directory, numerics, overrides):
    described = describe(directory, numerics)
    source = safetensors_source(directory)
    model = described.preset.build(**{**described.changes, **overrides})
    names = names_of(model, "huggingface")
    _leave_out_copies(source, {name.name for name in names.values()})
    fresh = _fresh_head(model, source, names) if "num_classes" in overrides else ()
    original = described.preset.changed(**described.changes).get("inputs")
    fill(
        model,
        source,
        names,
        partial(from_pytorch, transposed_images=numerics == "deepmind"),
        fresh=fresh,
        resize=_resizing(model, source, names, original) if overrides else None,
    )
    if fresh:
        print(f"Fresh, as there are other classes: {', '.join(fresh)}")
    labels = None if fresh else described.labels
    model.preparation = preparation_of(model, numerics, labels)
    return model


def _leave_out_copies(source, known):
    """Drops what transformers stores besides the weights: counters, and the tied table again."""
    for name in set(source.shapes) - known:
        if name.endswith((".num_batches_tracked", ".position_ids")):
            del source.shapes[name]
        elif name == _TIED and _TABLE in source.shapes:
            if not np.array_equal(source.read(name), source.read(_TABLE)):
                raise ValueError(
                    f"{source.where} must have one table of tokens. Received: {name} differs from "
                    f"{_TABLE}"
                )
            del source.shapes[name]


def _fresh_head(model, source, names):
    """Paths of the head's weights whose number of classes differs from the file's."""
    found = []
    for weight in model.weights:
        shape = source.shapes.get(names[weight.path].name)
        if weight.path.startswith(_HEADS) and shape and weight.shape[-1] != shape[0]:
            found.append(weight.path)
    return found


def _resizing(model, source, names, inputs):
    """{path of a table of positions: function that resizes the file's} where sizes differ."""
    found = {}
    for path, grid in tables_of(model).items():
        shape = source.shapes.get(names[path].name)
        old = shape[:1] if shape and len(grid) == 1 else getattr(inputs, "grid", None)
        if shape and tuple(old) != grid:
            print(f"Learned positions for {grid} places instead of {tuple(old)}: {path}")
            found[path] = partial(resized, old=tuple(old), new=grid)
    return found
