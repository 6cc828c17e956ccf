"""Where the time of a model goes: each layer of encoder and decoder, timed apart."""

import statistics
import time


def layer_times(model, inputs, runner, rounds=3):
    """[{"layer", "calls", "seconds"}] by seconds, then what is left of the whole model.

    The model runs once, and what each layer is called with is kept; then each call is a graph of
    its own. Sums may differ from the whole, which runs parts side by side and fuses across them.
    """
    calls = record(model, inputs)
    table = []
    for layer, arguments in calls.items():
        seconds = 0.0
        for args, kwargs in arguments:
            run = runner.layer(layer, args, kwargs)
            seconds += median_seconds(run, rounds)
        table.append({"layer": layer.name, "calls": len(arguments), "seconds": seconds})
    table.sort(key=lambda row: -row["seconds"])
    whole = median_seconds(runner.step(model, inputs, "forward"), rounds)
    return {"layers": table, "whole": whole}


def record(model, inputs):
    """What each layer of the encoder and decoder is called with, by layer in order of calls."""
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


def median_seconds(run, rounds):
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
