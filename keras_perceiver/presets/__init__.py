"""The sizes of the papers' models, as data."""

from keras_perceiver.presets.imagenet import (
    PERCEIVER_IMAGENET,
    PERCEIVER_IO_IMAGENET_FOURIER,
)

__all__ = ["PERCEIVER_IMAGENET", "PERCEIVER_IO_IMAGENET_FOURIER"]
