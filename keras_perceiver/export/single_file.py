"""What the formats of one file have in common: checked before, tried after, whole or not there."""

from keras_perceiver import arguments, sealed_arrays
from keras_perceiver.export.agreement import check_agreement
from keras_perceiver.export.exportable import check_exportable
from keras_perceiver.export.rebuilt import rebuilt
from keras_perceiver.export.request_limits import request_checks
from keras_perceiver.export.sample_requests import sample_request


class SingleFile:
    """A model on its way to another format.

    Args:
        model: A `Perceiver`.
        path: Where the file is to be.
        suffix: How its name must end, such as ".onnx".
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Raises:
        ValueError: if the model cannot be exported, or the path is not right.
    """

    def __init__(self, model, path, suffix, allow_uncompiled):
        check_exportable(model, allow_uncompiled)
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
                f"`path` must be a new file, none is written over. Received: path={str(path)!r}, "
                "which exists"
            )
        self.model = model

    def convertible(self):
        """The model, called once as converters want it, without the exact GELU as one operation."""
        model = self.model
        if model.sizes.config()["activation"] == "gelu":
            model = rebuilt(model, activation="gelu_erf") or model
        request = self.sample(1)
        model(request if isinstance(model.input, dict) else next(iter(request.values())))
        return model

    def written_aside(self):
        """Gives a path in a folder of its own beside `path`; what is in it is moved if all went."""
        return sealed_arrays.written_aside(self.path)

    def sample(self, batch):
        """{name: array} that the model takes."""
        specs = {tensor.name: tensor for tensor in self.model.inputs}
        checks = request_checks(specs, self.model, max_batch=batch, max_growth=1)
        return sample_request(checks, self.model.input_descriptions, batch=batch)

    def check(self, what, answer, batches=(1, 3)):
        """Holds `answer`, a function of such a dict, against the model."""
        for batch in batches:
            request = self.sample(batch)
            check_agreement(what, self.model, request, answer(request))
