"""Runs a model on PyTorch, eagerly or with torch.compile."""

import torch

from benchmarks.side import MATRIX


class Torch:
    package = "torch"

    def __init__(self, jit=False, device="cpu", threads=2):
        torch.set_num_threads(threads)
        self.jit, self.device = jit, device

    def arrays(self, inputs):
        if isinstance(inputs, dict):
            return {key: self.arrays(value) for key, value in inputs.items()}
        return torch.as_tensor(inputs).to(self.device)

    def wait(self, result):
        if self.device != "cpu":
            torch.cuda.synchronize()
        return result

    def function(self, call):
        call = torch.compile(call) if self.jit else call

        def run():
            with torch.no_grad():
                self.wait(call())

        return run

    def layer(self, layer, args, kwargs):
        return self.function(lambda: layer(*args, **kwargs))

    def step(self, model, inputs, mode):
        if mode == "forward":
            return self.function(lambda: model(inputs, training=False))
        call = torch.compile(model) if self.jit else model

        def train():
            model.zero_grad(set_to_none=True)
            outputs = call(inputs, training=True)
            outputs = outputs.values() if isinstance(outputs, dict) else [outputs]
            loss = sum(output.float().square().mean() for output in outputs)
            loss.backward()
            self.wait(loss)

        return train

    def matrix_product(self, dtype):
        a = torch.randn(MATRIX, MATRIX, device=self.device).to(getattr(torch, dtype))
        return lambda: self.wait(a @ a)

    def device_memory(self):
        if self.device == "cpu":
            return None
        peak = torch.cuda.max_memory_allocated() - torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        return peak
