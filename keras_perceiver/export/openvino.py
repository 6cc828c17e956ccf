"""For OpenVINO."""

import os
from pathlib import Path

from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.extras import require


def openvino(model, path: str | os.PathLike, *, allow_uncompiled: bool = False) -> Path:
    """Writes a model for OpenVINO, and holds its answers there against the model's.

    On processors that have bfloat16, OpenVINO computes in it unless it is told not to, as in the
    example.

    Args:
        model: A compiled `Perceiver`.
        path: A new file that ends with ".xml"; the weights go beside it, to ".bin".
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        `path`, as a `Path`. The file takes the model's inputs by name, with any batch size.

    Raises:
        ImportError: if the package openvino is not installed.
        ValueError: if the model or the path will not do. Nothing is written.
        RuntimeError: if the file does not answer as the model does. Nothing is left of it.

    Example:

    >>> kp.export.openvino(model, "digits.xml")
    >>> exact = {"INFERENCE_PRECISION_HINT": "f32"}
    >>> compiled = openvino.Core().compile_model("digits.xml", "CPU", exact)
    >>> logits = compiled({"array": images})[0]
    """
    runtime = require("openvino", "export")
    file = SingleFile(model, path, ".xml", allow_uncompiled)
    with file.written_aside() as aside:
        file.convertible().export(str(aside), format="openvino", verbose=False)
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = runtime.Core().compile_model(str(aside), "CPU", exact)

        def answer(request):
            found = compiled(request)
            return [found[index] for index in range(len(compiled.outputs))]

        file.check("the OpenVINO file", answer)
    return file.path
