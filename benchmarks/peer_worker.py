"""A peer on PyTorch, as a worker: python -m benchmarks.peer_worker transformers [--compile].

`--runtime` converts the models of transformers for another runtime.

`--fused` replaces the attention of transformers' Perceiver, which keeps all scores, by PyTorch's
`scaled_dot_product_attention`. Nobody ships that; it stands for flash-perceiver, whose
flash-attn has to be compiled.
"""

import argparse
import importlib
import importlib.metadata

import torch

from benchmarks import file_runtimes
from benchmarks.peer_outputs import tensors
from benchmarks.protocol import WorkerError, serve
from benchmarks.side import MATRIX, Side

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
PACKAGES = {"transformers": "transformers", "perceiver-pytorch": "perceiver_pytorch"}

# Fails with bfloat16 weights (because of float32 positions), so it runs under torch.autocast.
AUTOCAST = {("transformers", "multimodal")}


class TorchSide(Side):
    def __init__(self, package, compiled=False, device="cpu", threads=2, fused=False):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.package, self.compiled, self.device = package, compiled, device
        self.cases = importlib.import_module(f"benchmarks.{PACKAGES[package]}_cases").CASES
        if fused:
            from benchmarks.transformers_fused import fuse_attention

            fuse_attention()

    def versions(self):
        return {name: importlib.metadata.version(name) for name in (self.package, "torch")}

    def prepare(self, case, batch, mode, dtype, **sizes):
        if case not in self.cases:
            raise WorkerError("has no such model")
        autocast = dtype != "float32" and (self.package, case) in AUTOCAST
        stored = torch.float32 if autocast else DTYPES[dtype]
        model, inputs = self.cases[case](batch, **sizes)
        self.parameters = sum(weight.numel() for weight in model.parameters())
        model, inputs = model.to(self.device, stored), self.moved(inputs, stored)
        compiled = torch.compile(model) if self.compiled else model

        def call(inputs):
            with torch.autocast(self.device, torch.bfloat16, enabled=autocast):
                return tensors(compiled(**inputs))

        def forward():
            with torch.inference_mode() if not self.compiled else torch.no_grad():
                outputs = call(inputs)
            return self.wait(outputs[0])

        def train():
            model.zero_grad(set_to_none=True)
            loss = sum(output.float().square().mean() for output in call(inputs))
            loss.backward()
            self.wait(loss)
            model.zero_grad(set_to_none=True)

        model.train(mode == "train")
        return {"forward": forward, "train": train}[mode]

    def moved(self, value, dtype):
        if isinstance(value, dict):
            return {key: self.moved(item, dtype) for key, item in value.items()}
        if not isinstance(value, torch.Tensor):
            return value
        return value.to(self.device, dtype if value.is_floating_point() else None)

    def wait(self, tensor):
        if self.device != "cpu":
            torch.cuda.synchronize()
        return tensor

    def drop(self):
        super().drop()
        if self.compiled:
            torch.compiler.reset()
        if self.device != "cpu":
            torch.cuda.empty_cache()
        return True

    def matrix_product(self, dtype):
        a = torch.randn(MATRIX, MATRIX, device=self.device).to(DTYPES[dtype])
        return lambda: self.wait(a @ a)

    def device_memory(self):
        if self.device == "cpu":
            return None
        peak = torch.cuda.max_memory_allocated() - getattr(self, "held", 0)
        self.held = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        return peak


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", choices=PACKAGES)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--fused", action="store_true")
    parser.add_argument("--runtime", choices=file_runtimes.TITLES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    chosen = vars(parser.parse_args())
    runtime = chosen.pop("runtime")
    if runtime:
        from benchmarks.transformers_file_side import TransformersFileSide

        serve(TransformersFileSide(runtime, chosen["threads"]))
    else:
        serve(TorchSide(chosen.pop("package"), chosen.pop("compile"), **chosen))
