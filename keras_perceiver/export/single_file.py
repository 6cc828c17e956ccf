"""The single-file formats: check the path, write under another name, move into place."""

from keras_perceiver import arguments, sealed_arrays
from keras_perceiver.export.conversion import Conversion


class SingleFile(Conversion):
    """The export of a model to one file.

    Args:
        model: A `Perceiver`.
        path: Path of the new file.
        suffix: Required ending of its name, such as ".onnx".
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Raises:
        ValueError: if the model cannot be exported, or the path is not suitable.
    """

    def __init__(self, model, path, suffix, allow_uncompiled):
        super().__init__(model, allow_uncompiled)
        self.path = arguments.path("path", path)
        if self.path.suffix != suffix or self.path.name == suffix:
            raise ValueError(
                f"`path` must be the name of a file that ends with '{suffix}'. Received: "
                f"path={str(path)!r}"
            )
        if not self.path.parent.is_dir():
            raise ValueError(
                f"`path` must be in a folder that exists. Received: path={str(path)!r}"
            )
        if self.path.exists():
            raise ValueError(
                f"`path` must be a new file; existing files are never overwritten. Received: "
                f"path={str(path)!r}, which exists"
            )

    def written_aside(self):
        """Yields a path in a temporary folder beside `path`; moves the files there on success."""
        return sealed_arrays.written_aside(self.path)
