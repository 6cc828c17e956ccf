"""The models of both papers as data: `kp.presets.list()`, `kp.presets.get(name)`."""

from keras_perceiver.presets.multimodal import KINETICS_LOSS_WEIGHTS, KINETICS_NUM_DECODED
from keras_perceiver.presets.preset import Preset
from keras_perceiver.presets.table import get, list

__all__ = ["KINETICS_LOSS_WEIGHTS", "KINETICS_NUM_DECODED", "Preset", "get", "list"]
