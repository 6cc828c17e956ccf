"""Export to OpenVINO."""

import os
import tempfile
from pathlib import Path

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.export.class_names import class_name_files
from keras_perceiver.export.conversion import Conversion
from keras_perceiver.export.fused_norms import fuse_norms
from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.export.version_folders import (
    check_kind,
    check_version,
    model_folder,
    move_into_place,
    written_aside,
)
from keras_perceiver.extras import require
from keras_perceiver.layers.slices import unrolled

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}  # bfloat16 is the default where there is any


@arguments.explain_unknown
def openvino(
    model,
    path: str | os.PathLike,
    version: int | None = None,
    *,
    class_names: list[str] | dict[str, list[str]] | None = None,
    allow_uncompiled: bool = False,
) -> Path:
    """Writes a model for OpenVINO and compares its outputs there with the model's.

    A `path` that ends with ".xml" is a new file; its weights are written beside it, to ".bin". Any
    other `path` is the folder of a model for OpenVINO Model Server, as for `kp.export.saved_model`:
    `<path>/<version>/model.xml` and `model.bin` are written to a temporary folder, tested, and then
    moved into place in one step, so an existing version is always complete. A folder that has
    SavedModel versions is refused: TensorFlow Serving would not load this version, and would go on
    with an older one.

    The file takes the model's inputs by name, with any batch size, and gives its outputs by name.
    An output with the name of an input is called `<name>_output`. There is one signature, without
    the checks of requests that a SavedModel has, and for numbers only: no PNG, texts or WAV.

    On processors with bfloat16 support, OpenVINO computes in bfloat16 by default. The example shows
    how to compute in float32.

    Args:
        model: A compiled `Perceiver`.
        path: A new file, "digits.xml", or the folder of a model, whose last part is its name:
            "saved_models/digits_openvino".
        version: Number of the version's folder. Default: the largest existing number plus 1.
        class_names: Names of the classes in order, or a dict of such lists by output; written to
            `assets/class_names.txt` in the version's folder, or `assets/<output>_class_names.txt`.
            Default: those of the model's `preparation`.
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        The file, or the folder of the version, as a `Path`.

    Raises:
        ImportError: if the package openvino is not installed.
        ValueError: if the model or the path is not suitable, if the version exists, if the folder
            has SavedModel versions, or if `version` or `class_names` are given for a file. Nothing
            is written.
        RuntimeError: if the outputs of the file differ from the model's. The file is deleted.

    Example:

    >>> kp.export.openvino(model, "digits.xml")
    PosixPath('digits.xml')
    >>> exact = {"INFERENCE_PRECISION_HINT": "f32"}
    >>> compiled = openvino.Core().compile_model("digits.xml", "CPU", exact)
    >>> logits = compiled({"array": images})["classes"]
    >>> kp.export.openvino(model, "saved_models/digits_openvino")  # for OpenVINO Model Server
    PosixPath('saved_models/digits_openvino/1')
    """
    require("openvino", "export")
    if isinstance(path, (str, os.PathLike)) and Path(path).suffix == ".xml":
        file = SingleFile(model, path, ".xml", allow_uncompiled)
        for name, value in (("version", version), ("class_names", class_names)):
            if value is not None:
                raise ValueError(
                    f"`{name}` must be None if `path` is a file and not the folder of a model. "
                    f"Received: {name}={value!r}, path={str(path)!r}"
                )
        with file.written_aside() as aside:
            _write(file, aside)
        return file.path
    conversion = Conversion(model, allow_uncompiled)
    folder = model_folder(path)
    check_version(folder, version)
    check_kind(folder, "OpenVINO")
    if class_names is None:
        class_names = getattr(model.preparation, "class_names", None)
    with written_aside(folder) as aside:
        if class_names is not None:
            (aside / "assets").mkdir()
            class_name_files(class_names, model.output_descriptions, aside / "assets")
        _write(conversion, aside / "model.xml")
        return move_into_place(aside, folder, version)


def _write(conversion, path):
    """Writes the file and its weights, and compares its outputs with the model's."""
    runtime = require("openvino", "export")
    with tempfile.TemporaryDirectory() as plain:
        _save_plainly(conversion, plain)
        converted = runtime.convert_model(plain)
        fuse_norms(converted)
        runtime.save_model(converted, str(path), compress_to_fp16=False)
    conversion.check(
        "the OpenVINO file", caller(runtime, str(path), conversion.output_names, EXACT)
    )


def caller(runtime, model, names, hints):
    """A function from inputs by name to outputs by the model's names, of a file or its model."""
    compiled = runtime.Core().compile_model(model, "CPU", hints)

    def call(inputs):
        found = compiled(inputs)
        return {key: found[name] for key, name in names.items()}

    return call


def _save_plainly(conversion, folder):
    """Writes a SavedModel without request checks, which OpenVINO cannot convert."""
    model = conversion.by_name()
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]

    @tf.function(autograph=False)
    def serve(**inputs):
        if not isinstance(model.input, dict):
            (inputs,) = inputs.values()
        return model(inputs, training=False)

    specs = {t.name: tf.TensorSpec(t.shape, t.dtype, name=t.name) for t in model.inputs}
    with unrolled():  # loops are slow there, and crash in bfloat16 if they have one step
        function = serve.get_concrete_function(**specs)
    tf.saved_model.save(module, folder, signatures=function)
