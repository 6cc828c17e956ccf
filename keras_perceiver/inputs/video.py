"""Video."""

import keras

from keras_perceiver.inputs.visual_input import VisualInput


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Video(VisualInput):
    """Video, as patches (default), as pixels or through a small convolutional stem per frame.

    Args:
        frames, height, width, channels: Size of a clip.
        stem: "patches", "pixels", "conv1x1" or "conv" (frame by frame), as in `Image`.
        patch_size: A number for height and width, or one each for frames, height and width.
            Default: (1, 4, 4), as published; (1, 1, 1) for "pixels" and "conv1x1".
        stem_channels: Width of the features after the stem. Default: 64 for "conv" and "conv1x1";
            no dense layer for "patches".
        positions, combine, num_bands, max_resolution, concat_pos, sine_only, position_dim,
        position_stddev, project_positions, symmetric_padding, stem_norm, normalize, masked,
        may_be_missing: As in `Image`.

    Call arguments:
        inputs: Floats of shape `(batch, frames, height, width, channels)`.

    Returns:
        Array of shape `(batch, num_inputs, input_dim)`.

    Raises:
        ValueError: if a size is not divisible by the patch, or an argument is out of range.

    Example (the published multimodal model: 50,176 inputs of width 48 + 195):

    >>> Video(16, 224, 224, num_bands=32)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.3 and appendix G.
    """

    kind = "video"
    coarse_stems = ("patches", "conv")

    def __init__(
        self,
        frames,
        height,
        width,
        channels=3,
        stem="patches",
        patch_size=None,
        stem_channels=None,
        **kwargs,
    ):
        sizes = {"frames": frames, "height": height, "width": width, "channels": channels}
        super().__init__(sizes, stem, patch_size, stem_channels, **kwargs)

    def open_config(self):
        return {"frames": None, "height": None, "width": None}

    def get_config(self):
        sizes = dict(zip(("frames", "height", "width", "channels"), self.shape))
        return {**super().get_config(), **sizes}
