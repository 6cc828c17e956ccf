"""Output descriptions: each defines the queries of one task and how the results are read."""

from keras_perceiver.outputs.at_points import AtPoints
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.flow import EndPointError, Flow
from keras_perceiver.outputs.grid import Grid
from keras_perceiver.outputs.mean_over_inputs import MeanOverInputs
from keras_perceiver.outputs.output import Output
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.per_input import PerInput
from keras_perceiver.outputs.reconstruction import Reconstruction
from keras_perceiver.outputs.tokens import Tokens
from keras_perceiver.outputs.values import Values

__all__ = [
    "AtPoints",
    "Classes",
    "EndPointError",
    "Flow",
    "Grid",
    "MeanOverInputs",
    "Output",
    "OutputHead",
    "PerInput",
    "Reconstruction",
    "Tokens",
    "Values",
]
