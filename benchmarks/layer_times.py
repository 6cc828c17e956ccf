"""The time of each layer of a model's encoder and decoder, measured separately."""

import statistics
import time


def layer_times(model, inputs, runner, rounds=3):
    """A dict with `layers`, [{"layer", "calls", "seconds"}] by seconds, and `whole`, in seconds.

    The model runs once to record the arguments of each layer; then each call is compiled as a
    separate graph. The whole model and the layers are timed in turn; the first round compiles. The
    sum of the layers may differ from the whole model, which runs layers in parallel and fuses
    operations across them.
    """
    runs = {None: [runner.step(model, inputs, "forward")]}
    for layer, calls in record(model, inputs).items():
        runs[layer] = [runner.layer(layer, args, kwargs) for args, kwargs in calls]
    times = {layer: [] for layer in runs}
    for _ in range(rounds + 1):
        for layer, steps in runs.items():
            start = time.perf_counter()
            for step in steps:
                step()
            times[layer].append(time.perf_counter() - start)
    medians = {layer: statistics.median(seconds[1:]) for layer, seconds in times.items()}
    whole = medians.pop(None)
    table = [
        {"layer": layer.name, "calls": len(runs[layer]), "seconds": seconds}
        for layer, seconds in sorted(medians.items(), key=lambda item: -item[1])
    ]
    return {"layers": table, "whole": whole}


def record(model, inputs):
    """The arguments of all calls of each layer of the encoder and decoder, by layer."""
    calls = {}
    layers = [
        layer
        for part in ("encoder", "decoder")
        for layer in model.get_layer(part).layers
        if type(layer).__name__ != "InputLayer"
    ]
    originals = {layer: layer.call for layer in layers}

    def recorder(layer):
        def call(*args, **kwargs):
            calls.setdefault(layer, []).append((args, kwargs))
            return originals[layer](*args, **kwargs)

        return call

    for layer in layers:
        layer.call = recorder(layer)
    try:
        model(inputs, training=False)
    finally:
        for layer in layers:
            layer.call = originals[layer]
    return calls
