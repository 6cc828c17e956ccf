"""Export to LiteRT (TensorFlow Lite)."""

import importlib
import os
import warnings
from pathlib import Path

import tensorflow as tf

from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.layers.slices import unrolled


def litert(model, path: str | os.PathLike, *, allow_uncompiled: bool = False) -> Path:
    """Writes a model as a LiteRT file and compares its outputs with the model's.

    The file is tested in the runtime of the package ai-edge-litert or, if that is not installed, in
    TensorFlow's own runtime.

    Args:
        model: A compiled `Perceiver`.
        path: A new file that ends with ".tflite".
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        `path`, as a `Path`. The file has a signature `serving_default` that takes the model's
        inputs by name, with any batch size.

    Raises:
        ValueError: if the model or the path is not suitable. Nothing is written.
        RuntimeError: if the outputs of the file differ from the model's. The file is deleted.

    Example:

    >>> kp.export.litert(model, "digits.tflite")
    >>> interpreter = ai_edge_litert.interpreter.Interpreter("digits.tflite")
    >>> logits = interpreter.get_signature_runner()(array=images)["output_0"]
    """
    file = SingleFile(model, path, ".tflite", allow_uncompiled)
    with file.written_aside() as aside:
        with unrolled():
            file.convertible().export(str(aside), format="litert", verbose=False)
        interpreter = _interpreter(str(aside))
        run = interpreter.get_signature_runner()

        def answer(request):
            found = run(**request)
            return [found[name] for name in sorted(found)]

        file.check("the LiteRT file", answer)
    return file.path


def _interpreter(path):
    try:
        runtime = importlib.import_module("ai_edge_litert.interpreter")
    except ModuleNotFoundError:
        runtime = tf.lite
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf.lite warns that it will move to ai-edge-litert
        return runtime.Interpreter(path)
