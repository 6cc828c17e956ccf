"""One modality in: descriptions of data that turn raw tensors into Perceiver inputs."""

from keras_perceiver.inputs.array import Array

__all__ = ["Array"]
