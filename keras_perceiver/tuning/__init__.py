"""Hyperparameter search with Keras Tuner, in which every draw is a valid model."""

from keras_perceiver.tuning.hyper_model import PerceiverHyperModel
from keras_perceiver.tuning.search_space import SearchSpace

__all__ = ["PerceiverHyperModel", "SearchSpace"]
