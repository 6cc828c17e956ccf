"""Export to ONNX."""

import os
import warnings
from pathlib import Path

import numpy as np

from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.extras import require
from keras_perceiver.layers.slices import unrolled


def onnx(model, path: str | os.PathLike, *, allow_uncompiled: bool = False) -> Path:
    """Writes a model as an ONNX file and compares its outputs in onnxruntime with the model's.

    Args:
        model: A compiled `Perceiver`.
        path: A new file that ends with ".onnx".
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        `path`, as a `Path`. The file takes the model's inputs by name, with any batch size, and
        gives its outputs by name. An output with the name of an input is called `<name>_output`.

    Raises:
        ImportError: if the packages tf2onnx and onnxruntime are not installed.
        ValueError: if the model or the path is not suitable. Nothing is written.
        RuntimeError: if the outputs of the file differ from the model's. The file is deleted.

    Example:

    >>> kp.export.onnx(model, "digits.onnx")
    >>> session = onnxruntime.InferenceSession("digits.onnx")
    >>> (logits,) = session.run(None, {"array": images})
    """
    for module in ("onnx", "tf2onnx"):
        require(module, "export")
    onnxruntime = require("onnxruntime", "export")
    file = SingleFile(model, path, ".onnx", allow_uncompiled)
    with file.written_aside() as aside:
        with warnings.catch_warnings(), unrolled():  # loops give files that do not load
            warnings.simplefilter("ignore", FutureWarning)  # NumPy's warnings about Keras
            file.by_name().export(aside, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(str(aside), providers=["CPUExecutionProvider"])
        names = [tensor.name for tensor in session.get_inputs()]

        def answer(request):
            asked = {name: np.asarray(request[name]) for name in names}
            answers = session.run(list(file.output_names.values()), asked)
            return dict(zip(file.output_names, answers))

        file.check("the ONNX file", answer)
    return file.path
