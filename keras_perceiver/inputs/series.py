"""Series: measurements at equal steps of time."""

import keras

from keras_perceiver import arguments
from keras_perceiver.inputs.visual_input import VisualInput

STEMS = ("steps", "patches", "conv")


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Series(VisualInput):
    """Measurements at equal steps, step by step, in patches, or through a small convolution.

    Args:
        length: Number of steps; None (known only at call time) if `max_resolution` is given.
        channels: Numbers at each step.
        stem: What is applied before positions are added. "conv": for each factor 4 of `patch_size`,
            a convolution over 7 steps of stride 2, normalisation, ReLU and max-pooling over 3 steps
            of stride 2. "patches": the concatenated values of `patch_size` steps, and with
            `stem_channels` a dense layer on them. "steps": every `patch_size`-th step, unchanged.
        patch_size: By which factor the stem shortens the series. Default: 4 for "conv", otherwise
            1.
        stem_channels: Width of the features after the stem. Default: 64 for "conv", no dense layer
            for "patches".
        stem_norm: The normalisation of stem "conv": "group", over all values of one series, or
            "batch".
        positions, combine, num_bands, max_resolution, concat_pos, sine_only, position_dim,
        position_stddev, project_positions, symmetric_padding, normalize, may_be_missing: As in
            `Image`.
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, one for each input after the stem, True = may be attended. With
            stem "conv" and "group", masked steps still change the normalisation of the others.

    Call arguments:
        inputs: Floats of shape `(batch, length, channels)`.

    Returns:
        Array of shape `(batch, num_inputs, input_dim)`.

    Raises:
        ValueError: if a size is not divisible by the patch, or an argument is out of range.

    Example:

    >>> kp.build_classifier(kp.Series(150, 3), num_classes=5)

    Reference: the stem of Perceiver IO (arXiv 2107.14795), appendix A, along one axis.
    """

    kind = "series"

    def __init__(
        self,
        length,
        channels=1,
        stem="conv",
        patch_size=None,
        stem_channels=None,
        stem_norm="group",
        **kwargs,
    ):
        arguments.one_of("stem", stem, STEMS)
        super().__init__(
            {"length": length, "channels": channels},
            "pixels" if stem == "steps" else stem,
            patch_size,
            stem_channels,
            stem_norm=stem_norm,
            **kwargs,
        )

    @property
    def whole_for_one_answer(self):
        return self.stem_name == "conv"  # what is local was read by the convolution

    def open_config(self):
        return {"length": None}

    def get_config(self):
        config = super().get_config()
        length, channels = self.shape
        stem = "steps" if config["stem"] == "pixels" else config["stem"]
        return {**config, "length": length, "channels": channels, "stem": stem}
