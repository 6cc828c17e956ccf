"""How large and of which values the tensors of a request may be, from a model's description."""

import math

import keras

from keras_perceiver.export.request_checks import RequestChecks
from keras_perceiver.inputs.array import Array
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.inputs.text import Text
from keras_perceiver.outputs.at_points import AtPoints

MOST = 2**20  # of what has no natural size: points, entities, queries
USUAL = 16  # of the same, in requests made to try a model


def request_checks(specs, description, max_batch, max_growth):
    """{name: RequestChecks} for a model's symbolic inputs.

    Args:
        specs: {name: KerasTensor} of what a signature takes.
        description: The `Description` of the model as it was built.
        max_batch: Largest number of examples.
        max_growth: How many times as large as it was built an open size may be.
    """
    sizes, below, steps = {}, {}, {}
    for key, reader in description.readers.items():
        steps[key] = _steps(reader)
        for name, tensor in reader.raw_inputs(key).items():
            sizes[name] = _sizes(reader, name == key, tuple(tensor.shape)[1:], max_growth)
        if isinstance(reader, Text):
            below[key] = reader.vocab_size
    for key, output in description.outputs.items():
        if isinstance(output, AtPoints):
            usual = (output.num_points or USUAL, output.num_axes)
            sizes[f"{key}_points"] = ((MOST, output.num_axes), usual)
    for key, (_, num_queries, _) in description.model.sampled_outputs.items():
        below[f"{key}_indices"] = num_queries
    checks = {}
    for name, spec in specs.items():
        largest, usual = sizes.get(name, (tuple(spec.shape)[1:],) * 2)
        dtype = keras.backend.standardize_dtype(spec.dtype)
        checks[name] = RequestChecks(
            name,
            spec.shape,
            (max_batch, *largest),
            below.get(name),
            steps.get(name),
            usual,
            "float32" if "float" in dtype else dtype,  # half precision stays inside
        )
    return checks


def _sizes(reader, is_main, built, max_growth):
    """The largest sizes of one example's tensor, and its usual ones."""
    if isinstance(reader, Text):
        largest = (reader.max_length,) * len(built)
        return largest, tuple(size or min(USUAL, most) for size, most in zip(built, largest))
    if isinstance(reader, GridInput):
        largest, usual = _grid_sizes(reader, max_growth)
        if is_main:
            return largest, usual
        if built == (1,):  # whether it is there at all, or the mask of one cell
            return built, built
        return (_cells(reader, largest),), (_cells(reader, usual),)  # a mask
    count, *features = built
    most = MOST if count is None else min(MOST, count * max_growth)
    return (most, *features), (count or USUAL, *features)


def _grid_sizes(reader, max_growth):
    """The same for the grid itself, as it was built or as large as its frequencies are for."""
    natural = [None] * len(reader.grid)
    if reader.positions == "fourier":
        resolution = reader.make_fourier().max_resolution
        natural = [resolution] * len(natural) if isinstance(resolution, int) else resolution
    largest, usual = [], []
    steps = getattr(reader, "patch_size", (1,) * len(reader.shape))
    for size, most, step in zip(reader.shape[:-1], natural, steps):
        largest.append((size or (most or MOST) * step) * max_growth)
        usual.append(size or min(USUAL * step, largest[-1]))
    return (*largest, reader.shape[-1]), (*usual, reader.shape[-1])


def _cells(reader, shape):
    """Cells of the grid after the stem, for an example of that shape."""
    if isinstance(reader, Array):
        return math.prod(shape[:-1])
    if hasattr(reader, "stem_layer"):
        return math.prod(reader.stem_layer.out_shape(shape)[:-1])
    return reader.num_inputs


def _steps(reader):
    """By what each axis must be divisible, the batch and the channels included, or None."""
    if getattr(reader, "stem_name", None) == "patches" and hasattr(reader, "patch_size"):
        return (1, *reader.patch_size, 1)
    return None
