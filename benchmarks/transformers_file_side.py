"""The models of transformers, converted to files, as a side."""

import openvino
import torch
from torch import nn

from benchmarks.file_side import FileSide
from benchmarks.peer_outputs import tensors
from benchmarks.protocol import WorkerError
from benchmarks.transformers_cases import CASES


class Flat(nn.Module):
    """A model that takes tensors by position and returns a tuple of tensors.

    What `flat` leaves out is a constant of the file.
    """

    def __init__(self, model, inputs):
        super().__init__()
        self.model, self.fixed = model, inputs
        self.names = list(flat(inputs))

    def forward(self, *given):
        return tuple(tensors(self.model(**filled(self.fixed, dict(zip(self.names, given))))))


def flat(inputs, prefix=""):
    """The tensors of a model's inputs by name; a dict of tensors gives one for each of its items.

    The indices of decoded outputs stay out, so that the runtimes can compute the positions of these
    outputs beforehand.
    """
    found = {}
    for name, value in inputs.items():
        if isinstance(value, dict) and name != "subsampled_output_points":
            found.update(flat(value, f"{prefix}{name}_"))
        elif isinstance(value, torch.Tensor):
            found[prefix + name] = value
    return found


def filled(inputs, given, prefix=""):
    """`inputs` with the tensors of `given` in place of its own."""
    return {
        name: filled(value, given, f"{prefix}{name}_")
        if isinstance(value, dict)
        else given.get(prefix + name, value)
        for name, value in inputs.items()
    }


def convert(model, example):
    """The model in OpenVINO: traced, or exported by torch if tracing fails, as it does where a
    property of a module raises an error (in the multimodal decoder)."""
    try:
        return openvino.convert_model(model, example_input=example)
    except RuntimeError:
        return openvino.convert_model(torch.export.export(model, example))


class TransformersFileSide(FileSide):
    def __init__(self, runtime, threads=2):
        super().__init__(runtime, threads)
        torch.set_num_threads(threads)
        torch.manual_seed(0)

    def model_and_inputs(self, case, batch, **sizes):
        if case not in CASES:
            raise WorkerError("has no such model")
        model, inputs = CASES[case](batch, **sizes)
        arrays = {name: tensor.numpy() for name, tensor in flat(inputs).items()}
        return Flat(model, inputs).eval(), arrays

    def write(self, model, inputs, path):
        example = tuple(torch.from_numpy(array) for array in inputs.values())
        with torch.no_grad():
            if self.runtime == "openvino":
                converted = convert(model, example)
                for port, (name, array) in zip(converted.inputs, inputs.items()):
                    port.get_tensor().set_names({name})
                    port.get_node().set_partial_shape(openvino.PartialShape(list(array.shape)))
                converted.validate_nodes_and_infer_types()
                openvino.save_model(converted, str(path), compress_to_fp16=False)
            else:
                names = list(inputs)
                torch.onnx.export(model, example, str(path), input_names=names, verbose=False)

    def count(self, model):
        return sum(weight.numel() for weight in model.parameters())
