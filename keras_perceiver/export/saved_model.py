"""Export to a SavedModel for TensorFlow Serving."""

import os
import tempfile
from pathlib import Path

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.export.agreement import check_agreement
from keras_perceiver.export.class_names import class_name_files
from keras_perceiver.export.exportable import check_exportable
from keras_perceiver.export.preparation import preparations
from keras_perceiver.export.rebuilt import rebuilt
from keras_perceiver.export.sample_requests import sample_request
from keras_perceiver.export.served_functions import ServedFunctions
from keras_perceiver.export.version_folders import (
    check_kind,
    check_version,
    model_folder,
    move_into_place,
    written_aside,
)
from keras_perceiver.export.warmup import write_warmup


@arguments.explain_unknown
def saved_model(
    model,
    path: str | os.PathLike,
    version: int | None = None,
    *,
    class_names: list[str] | dict[str, list[str]] | None = None,
    prepare: dict | None = None,
    open_sizes: bool = True,
    max_batch: int = 1024,
    max_growth: int = 4,
    max_bytes: int = 2**27,
    max_pixels: int = 2**26,
    allow_uncompiled: bool = False,
) -> Path:
    """Writes a model as a SavedModel for TensorFlow Serving; plain TensorFlow can load it too.

    The SavedModel has these signatures, which take and return named tensors:

    - `serving_default`: from the model's inputs, `{input: (batch, ...)}`, to its outputs,
      `{output: (batch, ...)}`.
    - `serve_bytes`: the same, but inputs with a byte format take strings `(batch,)`. Images
      (`Image`, and `Array` of shape `(height, width, 1, 3 or 4)`) take PNG or JPEG, decoded by
      `kp.data.image_pixels` to values from 0 to 1; `Text` of bytes takes UTF-8, encoded by
      `kp.data.text_ids`; `Audio` takes WAV, decoded by `kp.data.wav_samples`. A model with a
      `preparation`, as from `kp.from_preset`, decodes by that.
    - `encode`: from the encoder's inputs to `{"latents": (batch, num_latents, latent_dim)}`.
    - `decode`: from latents, and from the tensors that define queries at call time
      (`<output>_points`, ...), to outputs.

    The batch size is open. So are sizes that no weight depends on: grids with Fourier positions or
    without positions (`Array`, `Image`, `Video`) unless an output has their shape, `Text` up to its
    `max_length`, `Points` and `Entities`. A request with wrong tensors gets an error that names the
    tensor.

    The SavedModel is written to a temporary folder, loaded, tested, and then moved into place in
    one step, so an existing version is always complete.

    Args:
        model: A compiled `Perceiver`.
        path: Folder of the model, whose last part is its name: "saved_models/digits".
        version: Number of the version's folder. Default: the largest existing number plus 1.
        class_names: Names of the classes in order, or a dict of such lists by output; written to
            `assets/class_names.txt`, or `assets/<output>_class_names.txt`. Default: those of the
            model's `preparation`.
        prepare: A dict by input name, for inputs whose bytes were decoded in another way in
            training: the function from one string scalar to one example, as in `dataset.map`, or
            None if the input takes no bytes.
        open_sizes: Whether to leave sizes open where possible.
        max_batch: Largest batch size of a request.
        max_growth: Largest ratio of an open size in a request to the size with which the model was
            built; the memory needed grows with the product of all sizes. Sizes that are not fixed
            when the model is built (points, entities, queries) may be up to 1,048,576.
        max_bytes: Largest number of bytes of each tensor in a `serve_bytes` request.
        max_pixels: Largest number of pixels of all images of each tensor in such a request, as
            given in the headers, before anything is decoded.
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        The folder of the version, as a `Path`.

    Raises:
        ValueError: if `model` is not a Perceiver, is not compiled or has non-finite weights, if the
            version exists, if the folder has OpenVINO versions, if the name cannot be a folder
            name, or if another argument is wrong. Nothing is written.
        RuntimeError: if the outputs of the SavedModel differ from the model's.

    Example:

    >>> kp.export.saved_model(model, "saved_models/digits", class_names=list("0123456789"))
    PosixPath('saved_models/digits/1')
    >>> served = tf.saved_model.load("saved_models/digits/1")  # keep a reference to it
    >>> served.signatures["serving_default"](array=images)["classes"]  # logits (batch, 10)
    """
    check_exportable(model, allow_uncompiled)
    folder = model_folder(path)
    check_version(folder, version)
    check_kind(folder, "SavedModel")
    arguments.whole_number("max_batch", max_batch)
    arguments.whole_number("max_growth", max_growth)
    arguments.whole_number("max_bytes", max_bytes)
    arguments.whole_number("max_pixels", max_pixels)
    arguments.flag("open_sizes", open_sizes)
    of_model = model.preparation
    prepared = preparations(model.input_descriptions, prepare, of_model)
    if class_names is None:
        class_names = getattr(of_model, "class_names", None)
    with tempfile.TemporaryDirectory() as temporary:
        assets = class_name_files(class_names, model.output_descriptions, temporary)
        opened = rebuilt(model, open_sizes=True) if open_sizes else None
        limits = (max_batch, max_growth, max_bytes, max_pixels)
        served = ServedFunctions(opened or model, model, prepared, *limits, prepare or ())
        served.module.assets = [tf.saved_model.Asset(str(asset)) for asset in assets]
        with written_aside(folder) as aside:
            tf.saved_model.save(served.module, str(aside), signatures=served.signatures)
            requests = _requests(served, model.input_descriptions)
            write_warmup(aside, folder.name, requests)
            _try(aside, model, requests)
            return move_into_place(aside, folder, version)


def _requests(served, readers):
    requests = {}
    for name, function in served.signatures.items():
        dtypes = {key: s.dtype for key, s in function.structured_input_signature[1].items()}
        by_bytes = [key for key, dtype in dtypes.items() if dtype == tf.string]
        request = sample_request({key: served.checks[key] for key in dtypes}, readers, by_bytes)
        if request is not None:
            requests[name] = request
    return requests


def _try(folder, model, requests):
    """Loads a SavedModel, runs all its signatures and compares the outputs with the model's."""
    loaded = tf.saved_model.load(str(folder))
    answers = {}
    for name, request in requests.items():
        tensors = {key: tf.constant(value) for key, value in request.items()}
        answers[name] = loaded.signatures[name](**tensors)
    check_agreement(
        "the SavedModel", model, requests["serving_default"], answers["serving_default"]
    )
