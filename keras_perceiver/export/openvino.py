"""Export to OpenVINO."""

import os
import tempfile
from pathlib import Path

import tensorflow as tf

from keras_perceiver.export.plain_attention import check_plain
from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.extras import require


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
        gives its outputs by name.

    Raises:
        ImportError: if the package openvino is not installed.
        ValueError: if the model or the path is not suitable, or the model computes attention in
            another way than "plain". Nothing is written.
        RuntimeError: if the outputs of the file differ from the model's. The file is deleted.

    Example:

    >>> kp.export.openvino(model, "digits.xml")
    >>> exact = {"INFERENCE_PRECISION_HINT": "f32"}
    >>> compiled = openvino.Core().compile_model("digits.xml", "CPU", exact)
    >>> logits = compiled({"array": images})["classes"]
    """
    runtime = require("openvino", "export")
    file = SingleFile(model, path, ".xml", allow_uncompiled)
    check_plain(model, "OpenVINO")
    with file.written_aside() as aside, tempfile.TemporaryDirectory() as plain:
        _save_plainly(file, plain)
        runtime.save_model(runtime.convert_model(plain), str(aside), compress_to_fp16=False)
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = runtime.Core().compile_model(str(aside), "CPU", exact)

        def answer(request):
            found = compiled(request)
            return {name: found[name] for name in file.model.output_descriptions}

        file.check("the OpenVINO file", answer)
    return file.path


def _save_plainly(file, folder):
    """Writes a SavedModel without request checks, which OpenVINO cannot convert."""
    model = file.convertible()
    names = sorted(file.model.output_descriptions)
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]

    @tf.function(autograph=False)
    def serve(**inputs):
        answer = model(inputs, training=False)
        return answer if isinstance(answer, dict) else {names[0]: answer}

    specs = {t.name: tf.TensorSpec(t.shape, t.dtype, name=t.name) for t in model.inputs}
    tf.saved_model.save(module, folder, signatures=serve.get_concrete_function(**specs))
