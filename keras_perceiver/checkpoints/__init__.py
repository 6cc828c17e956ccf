"""Published weights: Hugging Face's directories, DeepMind's files, our own directories."""

from keras_perceiver.checkpoints.deepmind import load_deepmind_weights
from keras_perceiver.checkpoints.from_preset import from_preset
from keras_perceiver.checkpoints.hub import upload_preset

__all__ = ["from_preset", "load_deepmind_weights", "upload_preset"]
