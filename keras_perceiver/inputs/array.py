"""A numeric array of any rank."""

import keras

from keras_perceiver.inputs.grid_input import GridInput


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Array(GridInput):
    """A grid of any rank without a stem: time series, images, video, volumes, tables.

    Every cell of the grid becomes one input of the Perceiver: its channels, followed by the
    encoding of its position.

    Args:
        shape: Shape of one example, channels last: `(length, channels)`, `(height, width,
            channels)`, `(frames, height, width, channels)`, ...
        positions: "fourier", "learned" or "none".
        combine, num_bands, max_resolution, concat_pos, sine_only, position_dim, position_stddev,
        project_positions, normalize, masked, may_be_missing: As in `Image`.

    Call arguments:
        inputs: Array of shape `(batch, *shape)`.

    Returns:
        Array of shape `(batch, num_inputs, input_dim)`.

    Raises:
        ValueError: if `shape` has no grid axis, or an argument is out of range.

    Example (the ImageNet model's 50,176 inputs of width 261):

    >>> Array((224, 224, 3), num_bands=64)(keras.ops.zeros((1, 224, 224, 3))).shape
    (1, 50176, 261)

    Reference: Perceiver (arXiv 2103.03206), section 3.2.
    """

    kind = "array"

    @property
    def bytes_format(self):
        pictures = len(self.shape) == 3 and None not in self.shape and self.shape[-1] in (1, 3, 4)
        return "image" if pictures else None

    def open_config(self):
        return {"shape": (*[None] * len(self.grid), self.shape[-1])}
