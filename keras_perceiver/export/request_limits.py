"""How large and of which values the tensors of a request may be, from a model's description."""

import keras

from keras_perceiver.export.request_checks import RequestChecks
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
    built, natural, below, steps = {}, {}, {}, {}
    for key, reader in description.readers.items():
        for name, tensor in reader.raw_inputs(key).items():
            built[name] = tuple(tensor.shape)[1:]
            natural[name] = _natural(reader, name == key, built[name])
        if getattr(reader, "stem_name", None) == "patches" and hasattr(reader, "patch_size"):
            steps[key] = (1, *reader.patch_size, 1)
        if isinstance(reader, Text):
            below[key] = reader.vocab_size
    for key, output in description.outputs.items():
        if isinstance(output, AtPoints):
            built[f"{key}_points"] = (output.num_points, output.num_axes)
    for key, (_, num_queries, _) in description.model.sampled_outputs.items():
        below[f"{key}_indices"] = num_queries
    texts = [key for key, reader in description.readers.items() if isinstance(reader, Text)]
    checks = {}
    for name, spec in specs.items():
        sizes = built.get(name, tuple(spec.shape)[1:])
        growth = 1 if name.removesuffix("_mask") in texts else max_growth
        largest = [MOST if n is None else n * growth for n in natural.get(name, sizes)]
        step = steps.get(name, (1,) * len(spec.shape))
        usual = [USUAL * by if n is None else n for n, by in zip(sizes, step[1:])]
        dtype = keras.backend.standardize_dtype(spec.dtype)
        dtype = "float32" if "float" in dtype else dtype  # half precision stays inside
        checks[name] = RequestChecks(
            name, spec.shape, (max_batch, *largest), below.get(name), step, usual, dtype
        )
    return checks


def _natural(reader, is_main, sizes):
    """The sizes it was built with, or the largest it was made for, or None."""
    if isinstance(reader, Text):
        return (reader.max_length,)
    if not isinstance(reader, GridInput) or not is_main or reader.positions != "fourier":
        return sizes
    resolution = reader.make_fourier().max_resolution
    if isinstance(resolution, int):
        resolution = (resolution,) * len(reader.grid)
    factors = getattr(reader, "patch_size", (1,) * len(resolution))
    largest = [size * factor for size, factor in zip(resolution, factors)]
    return tuple(
        largest[axis] if size is None and axis < len(largest) else size
        for axis, size in enumerate(sizes)
    )
