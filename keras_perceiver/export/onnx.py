"""Export to ONNX."""

import os
import warnings
from pathlib import Path

import numpy as np

from keras_perceiver.export.plain_attention import check_plain
from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.extras import require


def onnx(model, path: str | os.PathLike, *, allow_uncompiled: bool = False) -> Path:
    """Writes a model as an ONNX file and compares its outputs in onnxruntime with the model's.

    Args:
        model: A compiled `Perceiver`.
        path: A new file that ends with ".onnx".
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        `path`, as a `Path`. The file takes the model's inputs by name, with any batch size.

    Raises:
        ImportError: if the packages tf2onnx and onnxruntime are not installed.
        ValueError: if the model or the path is not suitable, or the model computes attention in
            another way than "plain". Nothing is written.
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
    check_plain(model, "ONNX")
    with file.written_aside() as aside:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # NumPy's warnings about Keras
            file.convertible().export(aside, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(str(aside), providers=["CPUExecutionProvider"])
        names = [tensor.name for tensor in session.get_inputs()]

        def answer(request):
            return session.run(None, {name: np.asarray(request[name]) for name in names})

        file.check("the ONNX file", answer)
    return file.path
