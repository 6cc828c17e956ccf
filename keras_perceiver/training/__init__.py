"""Training on several devices and machines, and taking up again what was interrupted."""

from keras_perceiver.training.fit import fit
from keras_perceiver.training.strategy import strategy

__all__ = ["fit", "strategy"]
