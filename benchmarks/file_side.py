"""A side whose models are written to files and run in OpenVINO or in ONNX Runtime."""

import importlib.metadata
import tempfile
from pathlib import Path

from benchmarks import file_runtimes
from benchmarks.protocol import WorkerError
from benchmarks.side import Side
from benchmarks.works import key


class FileSide(Side):
    """The common part of ours and of the peers.

    Subclasses define `model_and_inputs` and `write`. A file is written once, in float32, and kept
    in a temporary folder until the process ends.

    Args:
        runtime: "openvino" or "onnxruntime".
        threads: The number of threads.
    """

    any_batch = False  # whether a file takes every batch size

    def __init__(self, runtime, threads=2):
        self.runtime, self.threads = runtime, threads
        self.folder = tempfile.TemporaryDirectory()
        self.files = {}

    def versions(self):
        return {self.runtime: importlib.metadata.version(self.runtime)}

    def model_and_inputs(self, case, batch, **sizes):
        """A model in float32, and a dict from names of its inputs to NumPy arrays."""
        raise NotImplementedError

    def write(self, model, inputs, path):
        """Writes the model to the new file `path`, with inputs of these names."""
        raise NotImplementedError

    def count(self, model):
        """The number of parameters."""
        raise NotImplementedError

    def prepare(self, case, batch, mode, dtype, **sizes):
        file_runtimes.check(self.runtime, mode, dtype)
        model, inputs = self.model_and_inputs(case, batch, **sizes)
        self.parameters = self.count(model)
        which = key({"case": case, **sizes, **({} if self.any_batch else {"batch": batch})})
        if which not in self.files:
            name = f"{len(self.files)}{file_runtimes.SUFFIXES[self.runtime]}"
            path = Path(self.folder.name) / name
            self.write(model, inputs, path)
            self.files[which] = path
        del model
        self.drop()  # frees the model before its file is compiled
        with self.compiling():
            return file_runtimes.load(self.runtime, self.files[which], dtype, self.threads, inputs)

    def matrix_product(self, dtype):
        raise WorkerError("multiplies no matrices alone")
