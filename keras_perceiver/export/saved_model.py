"""For TensorFlow Serving."""

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
    """Writes a model as TensorFlow Serving reads it; plain TensorFlow can load it too.

    The SavedModel has these signatures, from named tensors to a dict of named tensors:

    - `serving_default`: what the model takes, `{input: (batch, ...)}`, to `{output: (batch, ...)}`.
    - `serve_bytes`: strings `(batch,)` for inputs with a form in bytes, everything else as above.
      Pictures (`Image`, and `Array` of shape `(height, width, 1, 3 or 4)`) take PNG or JPEG, read
      by `kp.data.image_pixels` with values from 0 to 1; `Text` of bytes takes UTF-8, read by
      `kp.data.text_ids`; `Audio` takes WAV, read by `kp.data.wav_samples`.
    - `encode`: what the encoder takes, to `{"latents": (batch, num_latents, latent_dim)}`.
    - `decode`: latents, and what queries are made of at call time (`<output>_points`, ...), to
      outputs.

    The batch is open. So are sizes that no weight depends on: grids with Fourier positions or none
    (`Array`, `Image`, `Video`) unless an output has their shape, `Text` up to its `max_length`,
    `Points` and `Entities`. A request that does not fit gets an error that names the tensor.

    It is written beside its place, loaded, tried, and then moved there at once: a version that
    exists is whole.

    Args:
        model: A compiled `Perceiver`.
        path: Folder of the model, whose last part is its name: "saved_models/digits".
        version: Number of the folder in it. Default: the largest there, plus 1.
        class_names: Names of the classes in order, or a dict of such lists by output; written to
            `assets/class_names.txt`, or `assets/<output>_class_names.txt`.
        prepare: For inputs whose bytes were prepared in another way in training, by name: that
            function, from one string scalar to one example, as in `dataset.map`. None: no bytes.
        open_sizes: Whether sizes are left open where they can be.
        max_batch: Largest batch of a request.
        max_growth: How many times as large as the model was built an open size may be in a
            request; the memory needed grows with the product of all sizes. What has no size of
            its own (points, entities, queries) may have 1,048,576.
        max_bytes: Largest number of bytes of one request of `serve_bytes`, for each tensor.
        max_pixels: Largest number of pixels of all pictures of such a request, for each tensor,
            counted in the headers before anything is decoded.
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        The folder of the version, as a `Path`.

    Raises:
        ValueError: if `model` is no Perceiver, not compiled or not finite, the version exists,
            the name cannot be a folder's, or another argument does not fit. Nothing is written.
        RuntimeError: if what was written does not answer as the model does.

    Example:

    >>> kp.export.saved_model(model, "saved_models/digits", class_names=list("0123456789"))
    PosixPath('saved_models/digits/1')
    >>> served = tf.saved_model.load("saved_models/digits/1")  # keep a reference to it
    >>> served.signatures["serving_default"](array=images)["classes"]  # logits (batch, 10)
    """
    check_exportable(model, allow_uncompiled)
    folder = model_folder(path)
    check_version(folder, version)
    arguments.whole_number("max_batch", max_batch)
    arguments.whole_number("max_growth", max_growth)
    arguments.whole_number("max_bytes", max_bytes)
    arguments.whole_number("max_pixels", max_pixels)
    arguments.flag("open_sizes", open_sizes)
    prepared = preparations(model.input_descriptions, prepare)
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
    """Loads a SavedModel and holds its answers against the model's."""
    loaded = tf.saved_model.load(str(folder))
    answers = {}
    for name, request in requests.items():
        tensors = {key: tf.constant(value) for key, value in request.items()}
        answers[name] = loaded.signatures[name](**tensors)
    check_agreement(
        "the SavedModel", model, requests["serving_default"], answers["serving_default"]
    )
