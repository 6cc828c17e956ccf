"""The common base of `Image`, `Video` and `Series`."""

import numpy as np

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.inputs.image_stem import STEMS, ImageStem


class VisualInput(GridInput):
    """A grid of pixels, or of steps of time, with an `ImageStem`."""

    coarse_stems = ("conv",)  # whose default cells are 4 pixels wide

    def __init__(
        self,
        sizes,
        stem,
        patch_size=None,
        stem_channels=None,
        symmetric_padding=False,
        stem_norm="batch",
        **kwargs,
    ):
        arguments.one_of("stem", stem, STEMS)
        if patch_size is None:
            patch_size = 4 if stem in self.coarse_stems else 1
        if stem_channels is None and stem in ("conv", "conv1x1"):
            stem_channels = 64
        for name, size in sizes.items():
            arguments.optional_whole_number(name, size)
        super().__init__(tuple(sizes.values()), **kwargs)
        axes = len(self.shape) - 1
        if isinstance(patch_size, (int, np.integer)):
            patch_size = (1,) * (axes - 2) + (patch_size,) * min(axes, 2)
        self.patch_size = arguments.sizes("patch_size", patch_size, rank=axes)
        self.stem_name = stem
        self.stem_channels = stem_channels
        self.symmetric_padding = arguments.flag("symmetric_padding", symmetric_padding)
        self.stem_norm = stem_norm
        self.stem_layer = ImageStem(
            stem,
            self.patch_size,
            stem_channels,
            symmetric_padding,
            stem_norm,
            dtype=self.dtype_policy,
            name="stem",
        )
        self.stem_shape()

    def stem_shape(self, shape=None):
        return self.stem_layer.out_shape(tuple(shape or self.shape))

    def build_stem(self):
        self.stem_layer.build((None, *self.shape))

    def stem(self, inputs, training=None, repeated=False):
        return self.stem_layer(inputs, training=training, repeated=repeated)

    def stem_cost(self):
        return self.stem_layer.cost(tuple(self.shape))

    @property
    def steps(self):
        return (*self.patch_size, 1) if self.stem_name == "patches" else None

    def get_config(self):
        config = super().get_config()
        del config["shape"]
        return {
            **config,
            "stem": self.stem_name,
            "patch_size": self.patch_size,
            "stem_channels": self.stem_channels,
            "symmetric_padding": self.symmetric_padding,
            "stem_norm": self.stem_norm,
        }
