"""keras_perceiver as a worker, on the backend in the environment variable KERAS_BACKEND.

`--runtime` exports the models for another runtime; this needs TensorFlow as backend.
"""

import argparse
import importlib.metadata
import math

import keras

from benchmarks import file_runtimes
from benchmarks.protocol import serve
from benchmarks.side import Side


class OurSide(Side):
    """The common part of all backends; `runner` contains what differs."""

    def __init__(self, runner):
        self.runner = runner
        keras.utils.set_random_seed(0)

    def versions(self):
        packages = ("keras", self.runner.package)
        return {name: importlib.metadata.version(name) for name in packages}

    def prepare(self, case, batch, mode, dtype, **sizes):
        model, inputs = self.model_and_inputs(case, batch, dtype, **sizes)
        self.parameters = count(model)
        return self.runner.step(model, inputs, mode)

    def model_and_inputs(self, case, batch, dtype, **sizes):
        from benchmarks.our_cases import CASES

        keras.config.set_dtype_policy(dtype)
        try:
            model, inputs = CASES[case](batch, **sizes)
        finally:
            keras.config.set_dtype_policy("float32")
        return model, self.runner.arrays(inputs)

    def drop(self):
        super().drop()
        keras.backend.clear_session()
        return True

    def profile(self, case, batch, dtype, rounds=3):
        """Seconds of each layer of the encoder and decoder, timed separately, and of the model."""
        from benchmarks.layer_times import layer_times

        model, inputs = self.model_and_inputs(case, batch, dtype)
        return layer_times(model, inputs, self.runner, rounds)

    def matrix_product(self, dtype):
        return self.runner.matrix_product(dtype)

    def device_memory(self):
        return self.runner.device_memory()


def count(model):
    """The number of trainable parameters: no statistics of batch normalisation, as in the peers."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def runner(jit, device, threads):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from benchmarks.run_tensorflow import TensorFlow

        return TensorFlow(jit, threads)
    if backend == "jax":
        from benchmarks.run_jax import Jax

        return Jax()
    from benchmarks.run_torch import Torch

    return Torch(jit, device, threads)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jit", action="store_true", help="XLA, or torch.compile")
    parser.add_argument("--device", default="cpu", help="of PyTorch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runtime", choices=file_runtimes.TITLES, help="for our exports")
    options = parser.parse_args()
    if options.runtime:
        from benchmarks.our_file_side import OurFileSide

        serve(OurFileSide(options.runtime, options.threads))
    else:
        serve(OurSide(runner(options.jit, options.device, options.threads)))
