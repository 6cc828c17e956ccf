"""For LiteRT (TensorFlow Lite)."""

import os
from pathlib import Path

from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.extras import require


def litert(model, path: str | os.PathLike, *, allow_uncompiled: bool = False) -> Path:
    """Writes a model as a LiteRT file, and holds its answers there against the model's.

    Args:
        model: A compiled `Perceiver`.
        path: A new file that ends with ".tflite".
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        `path`, as a `Path`. The file has a signature `serving_default` that takes the model's
        inputs by name, with any batch size.

    Raises:
        ImportError: if the package ai-edge-litert is not installed.
        ValueError: if the model or the path will not do. Nothing is written.
        RuntimeError: if the file does not answer as the model does. Nothing is left of it.

    Example:

    >>> kp.export.litert(model, "digits.tflite")
    >>> interpreter = ai_edge_litert.interpreter.Interpreter("digits.tflite")
    >>> logits = interpreter.get_signature_runner()(array=images)["output_0"]
    """
    runtime = require("ai_edge_litert.interpreter", "export")
    file = SingleFile(model, path, ".tflite", allow_uncompiled)
    with file.written_aside() as aside:
        file.convertible().export(str(aside), format="litert", verbose=False)
        interpreter = runtime.Interpreter(str(aside))
        run = interpreter.get_signature_runner()

        def answer(request):
            found = run(**request)
            return [found[name] for name in sorted(found)]

        file.check("the LiteRT file", answer)
    return file.path
