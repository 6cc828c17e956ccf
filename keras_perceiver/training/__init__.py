"""Training on several devices and machines, resumed after interruptions."""

from keras_perceiver.training.fit import fit
from keras_perceiver.training.strategy import strategy

__all__ = ["fit", "strategy"]
