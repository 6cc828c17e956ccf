"""A model in the forms that converters need, and the comparison of what comes out with it."""

import keras

from keras_perceiver.export.agreement import check_agreement
from keras_perceiver.export.exportable import check_exportable
from keras_perceiver.export.rebuilt import rebuilt
from keras_perceiver.export.request_limits import request_checks
from keras_perceiver.export.sample_requests import sample_request


class Conversion:
    """The conversion of a model to another format.

    Args:
        model: A `Perceiver`.
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Raises:
        ValueError: if the model cannot be exported.
    """

    def __init__(self, model, allow_uncompiled):
        check_exportable(model, allow_uncompiled)
        self.model = model

    def convertible(self):
        """The model, called once as converters need it, with exact GELU written out with erf."""
        model = self.model
        if model.sizes.config()["activation"] == "gelu":
            model = rebuilt(model, activation="gelu_erf") or model
        return self._called(model)

    def by_name(self):
        """The same as `convertible`, with all outputs in a dict by `output_names`."""
        model = self.convertible()
        outputs = model.output
        if not isinstance(outputs, dict):
            outputs = {next(iter(self.output_names)): outputs}
        outputs = {self.output_names[key]: tensor for key, tensor in outputs.items()}
        return self._called(keras.Model(model.input, outputs))

    def _called(self, model):
        request = self.sample(1)
        model(request if isinstance(model.input, dict) else next(iter(request.values())))
        return model

    @property
    def output_names(self):
        """{name of an output: its name in the file}, where an input must not have the same name."""
        inputs, outputs = {t.name for t in self.model.inputs}, self.model.output_descriptions
        names = {key: key for key in outputs}
        for key in outputs:
            while names[key] in inputs or (names[key] != key and names[key] in outputs):
                names[key] += "_output"
        return names

    def sample(self, batch):
        """{name: array} of valid model inputs."""
        specs = {tensor.name: tensor for tensor in self.model.inputs}
        checks = request_checks(specs, self.model, max_batch=batch, max_growth=1)
        return sample_request(checks, self.model.input_descriptions, batch=batch)

    def check(self, what, answer, batches=(1, 3)):
        """Compares `answer`, a function of a dict of inputs, with the model."""
        for batch in batches:
            request = self.sample(batch)
            check_agreement(what, self.model, request, answer(request))
