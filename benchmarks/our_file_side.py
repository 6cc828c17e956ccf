"""keras_perceiver's exports as a side."""

import keras

import keras_perceiver as kp
from benchmarks.file_side import FileSide
from benchmarks.our_worker import count
from benchmarks.protocol import WorkerError


class OurFileSide(FileSide):
    """Our models, exported by `kp.export`, which compares each file with its model."""

    any_batch = True

    def model_and_inputs(self, case, batch, **sizes):
        from benchmarks.our_cases import CASES

        keras.utils.set_random_seed(0)
        model, inputs = CASES[case](batch, **sizes)
        if not isinstance(model, kp.Perceiver):
            raise WorkerError("exports only whole models")
        if not isinstance(inputs, dict):
            inputs = {model.inputs[0].name: inputs}
        return model, inputs

    def write(self, model, inputs, path):
        export = {"openvino": kp.export.openvino, "onnxruntime": kp.export.onnx}[self.runtime]
        export(model, path, allow_uncompiled=True)

    def count(self, model):
        return count(model)

    def drop(self):
        super().drop()
        keras.backend.clear_session()
        return True
