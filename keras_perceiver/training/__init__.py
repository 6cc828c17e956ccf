"""Training as the papers do, on several devices and machines, resumed after interruptions."""

from keras_perceiver.models.lamb import Lamb
from keras_perceiver.training.falling_in_steps import falling_in_steps
from keras_perceiver.training.fit import fit
from keras_perceiver.training.flat_then_cosine import flat_then_cosine
from keras_perceiver.training.loss_spike_guard import LossSpikeGuard
from keras_perceiver.training.recipe import recipe
from keras_perceiver.training.strategy import strategy
from keras_perceiver.training.training_recipe import TrainingRecipe
from keras_perceiver.training.warm_up_then_cosine import warm_up_then_cosine
from keras_perceiver.training.warm_up_then_flat import warm_up_then_flat

__all__ = [
    "Lamb",
    "LossSpikeGuard",
    "TrainingRecipe",
    "falling_in_steps",
    "fit",
    "flat_then_cosine",
    "recipe",
    "strategy",
    "warm_up_then_cosine",
    "warm_up_then_flat",
]
