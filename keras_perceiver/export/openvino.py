"""Export to OpenVINO."""

import os
import tempfile
from pathlib import Path

import tensorflow as tf

from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.extras import require
from keras_perceiver.layers.slices import unrolled


def openvino(model, path: str | os.PathLike, *, allow_uncompiled: bool = False) -> Path:
    """Writes a model for OpenVINO and compares its outputs there with the model's.

    On processors with bfloat16 support, OpenVINO computes in bfloat16 by default. The example shows
    how to compute in float32.

    Args:
        model: A compiled `Perceiver`.
        path: A new file that ends with ".xml"; the weights are written beside it, to ".bin".
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        `path`, as a `Path`. The file takes the model's inputs by name, with any batch size, and
        gives its outputs by name. An output with the name of an input is called `<name>_output`.

    Raises:
        ImportError: if the package openvino is not installed.
        ValueError: if the model or the path is not suitable. Nothing is written.
        RuntimeError: if the outputs of the file differ from the model's. The file is deleted.

    Example:

    >>> kp.export.openvino(model, "digits.xml")
    >>> exact = {"INFERENCE_PRECISION_HINT": "f32"}
    >>> compiled = openvino.Core().compile_model("digits.xml", "CPU", exact)
    >>> logits = compiled({"array": images})["classes"]
    """
    runtime = require("openvino", "export")
    file = SingleFile(model, path, ".xml", allow_uncompiled)
    with file.written_aside() as aside, tempfile.TemporaryDirectory() as plain:
        _save_plainly(file, plain)
        runtime.save_model(runtime.convert_model(plain), str(aside), compress_to_fp16=False)
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = runtime.Core().compile_model(str(aside), "CPU", exact)

        def answer(request):
            found = compiled(request)
            return {key: found[name] for key, name in file.output_names.items()}

        file.check("the OpenVINO file", answer)
    return file.path


def _save_plainly(file, folder):
    """Writes a SavedModel without request checks, which OpenVINO cannot convert."""
    model = file.by_name()
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
