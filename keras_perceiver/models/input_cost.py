"""What reading an input costs, by the kind of input."""

import functools
import math

from keras_perceiver.inputs.audio import Audio
from keras_perceiver.inputs.entities import Entities
from keras_perceiver.inputs.frame_pair import FramePair
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.inputs.labels import Labels
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.inputs.points import Points
from keras_perceiver.inputs.text import Text
from keras_perceiver.inputs.visual_input import VisualInput
from keras_perceiver.models.part_cost import PartCost, dense


def input_size(name, reader):
    """(num_inputs, input_dim) of an input description; texts count with their largest length.

    Raises:
        ValueError: if the number of inputs is known only at call time.
    """
    num_inputs = reader.max_length if isinstance(reader, Text) else reader.num_inputs
    if num_inputs is None:
        raise ValueError(
            f"`inputs[{name!r}]` must have sizes known before call time, for its costs. Received: "
            f"{type(reader).__name__} with a size of None"
        )
    return num_inputs, reader.input_dim


def input_cost(name, reader):
    """The `PartCost` of reading an input: stem, embedding and positions, for one example.

    Raises:
        ValueError: if a size is known only at call time, or the kind of input is not known here;
            `keras_perceiver.models.input_cost.own_cost.register` adds one of your own.
    """
    num_inputs, input_dim = input_size(name, reader)
    return own_cost(reader) + PartCost(kept=num_inputs * input_dim)


@functools.singledispatch
def own_cost(reader):
    """Weights and matrix products of a reader, given its description."""
    raise ValueError(
        "The costs of this kind of input are not known; register a function for it with "
        f"keras_perceiver.models.input_cost.own_cost. Received: {type(reader).__name__}"
    )


@own_cost.register
def _(reader: Text):
    return PartCost(parameters=(reader.vocab_size + reader.max_length) * reader.dim)


@own_cost.register(Labels)
@own_cost.register(Points)
def _(reader: PerceiverInput):
    return PartCost()


@own_cost.register
def _(reader: Entities):
    if reader.project_features is None:
        return PartCost()
    return dense(reader.num_entities, reader.num_features, reader.project_features)


@own_cost.register
def _(reader: GridInput):
    return _positions(reader)


@own_cost.register
def _(reader: Audio):
    if reader.stem_name != "mel":
        return _positions(reader)
    bins = 4 * reader.samples_per_patch // 2 + 1  # the Fourier transform itself is not counted
    frames, width = reader.stem_shape()
    return _positions(reader) + PartCost(flops=2 * frames * bins * width)


@own_cost.register
def _(reader: FramePair):
    width = 2 * reader.neighbourhood**2 * reader.shape[-1]
    neighbours = PartCost(kept=reader.num_inputs * width)
    return _positions(reader) + neighbours + dense(reader.num_inputs, width, reader.stem_channels)


@own_cost.register
def _(reader: VisualInput):
    channels, units = reader.shape[-1], reader.stem_channels
    if reader.stem_name == "conv":
        return _positions(reader) + _convolutions(reader)
    if units is None:
        return _positions(reader)
    if reader.stem_name == "patches":
        channels *= math.prod(reader.patch_size)
    return _positions(reader) + dense(reader.num_inputs, channels, units)


def _convolutions(reader):
    """7x7 convolutions of stride 2 with batch normalisation, each before a pooling of stride 2."""
    *frames, height, width, channels = reader.shape
    total, units = PartCost(), reader.stem_channels
    for _ in range(reader.stem_layer.num_convs):
        height, width = -(-height // 2), -(-width // 2)
        cells = math.prod(frames) * height * width
        total += dense(cells, 7 * 7 * channels, units, bias=False)
        total += PartCost(parameters=4 * units, kept=2 * cells * units)
        if reader.symmetric_padding:
            height, width = (height - 3) // 2 + 1, (width - 3) // 2 + 1
        else:
            height, width = -(-height // 2), -(-width // 2)
        channels = units
    return total


def _positions(reader):
    """The table of learned positions and the dense layer on positions."""
    if reader.positions == "none":
        return PartCost()
    *grid, channels = reader.stem_shape()
    num_inputs = math.prod(grid)
    total = PartCost()
    if reader.positions == "learned":
        width = reader.position_dim or channels
        total += PartCost(parameters=num_inputs * width)
    else:
        width = reader.make_fourier().num_features(len(grid))
    if reader.project_positions is not None:
        total += dense(num_inputs, width, reader.project_positions)
    return total
