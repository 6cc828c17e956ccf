"""Images."""

import keras

from keras_perceiver.inputs.visual_input import VisualInput


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Image(VisualInput):
    """Images, as pixels, as patches or through a small convolutional stem.

    Args:
        height, width, channels: Size of an image; height and width may be None (known only at call
            time) if `max_resolution` is given.
        stem: What is applied to the pixels before positions are added. "pixels": every
            `patch_size`-th pixel, unchanged. "patches": the concatenated values of each patch, and
            with `stem_channels` a dense layer on them. "conv1x1": a dense layer on every
            `patch_size`-th pixel. "conv": for each factor 4 of `patch_size`, a 7x7 convolution of
            stride 2, normalisation, ReLU and 3x3 max-pooling of stride 2.
        patch_size: Side of a patch, or the factor by which the stem reduces the grid; a number, or
            one each for height and width. Default: 4 for "conv", otherwise 1.
        stem_channels: Width of the features after the stem. Default: 64 for "conv" and "conv1x1";
            no dense layer for "patches".
        positions: "fourier" (fixed), "learned" (a table) or "none".
        combine: "concat" appends positions to the features, "add" adds them.
        num_bands: Fourier frequencies for each axis. Default: half the largest grid size, at
            least 4 and at most 64.
        max_resolution: See `FourierEncoding`. Default: the sizes of the grid after the stem.
        concat_pos, sine_only: See `FourierEncoding`.
        position_dim: Width of learned positions. Default: the number of channels of the features.
        position_stddev: Standard deviation of the initial learned positions.
        project_positions: Width to which a dense layer maps the positions, or None for no layer.
        symmetric_padding: Whether stem "conv" pads both sides equally and does not pad the pooling,
            like Hugging Face's port; otherwise both use TensorFlow's "SAME" padding.
        stem_norm: The normalisation of stem "conv": "batch" (the published model), or "group",
            over all values of one image, which does not depend on the batch.
        normalize: Whether colours are standardised by the means and standard deviations of the
            training data. The first `fit` measures them, or `model.adapt(images)`; see
            `Perceiver.adapt`. Masked pixels count.
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, True = may be attended.
        may_be_missing: Whether the modality may be missing from some examples; the model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`.

    Call arguments:
        inputs: Floats of shape `(batch, height, width, channels)`.

    Returns:
        Array of shape `(batch, num_inputs, input_dim)`.

    Raises:
        ValueError: if a size is not divisible by the patch, or an argument is out of range.

    Example (the three published ImageNet models):

    >>> Image(224, 224, num_bands=64)
    >>> Image(224, 224, stem="conv1x1", stem_channels=256, positions="learned",
    ...       project_positions=256)
    >>> Image(224, 224, stem="conv")

    Reference: Perceiver IO (arXiv 2107.14795), section 4.4 and appendix A.
    """

    kind = "image"

    @property
    def bytes_format(self):
        return "image" if None not in self.shape and self.shape[-1] in (1, 3, 4) else None

    def open_config(self):
        return {"height": None, "width": None}

    def __init__(
        self,
        height,
        width,
        channels=3,
        stem="pixels",
        patch_size=None,
        stem_channels=None,
        **kwargs,
    ):
        sizes = {"height": height, "width": width, "channels": channels}
        super().__init__(sizes, stem, patch_size, stem_channels, **kwargs)

    def get_config(self):
        height, width, channels = self.shape
        sizes = {"height": height, "width": width, "channels": channels}
        return {**super().get_config(), **sizes}
