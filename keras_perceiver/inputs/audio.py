"""Sound."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.layers.part_cost import PartCost


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Audio(GridInput):
    """Sound, as patches of raw samples or as frames of a mel spectrogram.

    Args:
        num_samples: Length of a clip in samples.
        samples_per_patch: Samples that form one input, or that lie between two mel frames.
        channels: Sound channels: 1 for mono, 2 for stereo.
        stem: "patches" of raw samples, or "mel": frames of a mel spectrogram in decibels.
        sampling_rate: In Hz, for "mel".
        mel_bins: Width of a mel frame.
        num_bands: Fourier frequencies. Default: half the number of patches, at least 4 and at
            most 64.
        max_resolution: Default: the number of patches. The published multimodal model uses the
            number of samples.
        positions, combine, concat_pos, sine_only, position_dim, position_stddev,
        project_positions, normalize, masked, may_be_missing: As in `Image`. With stem "mel",
            `normalize` standardises the bins of frames.

    Call arguments:
        inputs: Floats in [-1, 1] of shape `(batch, num_samples, channels)`.

    Returns:
        Array of shape `(batch, num_inputs, input_dim)`.

    Raises:
        ValueError: if `num_samples` is not divisible by `samples_per_patch`, or an argument is out
            of range.

    Example (the published multimodal model: 1,920 inputs of width 16 + 385):

    >>> Audio(30720, samples_per_patch=16, num_bands=192, max_resolution=30720)

    Reference: Perceiver (arXiv 2103.03206), section 4.2; Perceiver IO (arXiv 2107.14795),
    section 4.3 and appendix G.
    """

    kind = "audio"
    bytes_format = "sound"

    def __init__(
        self,
        num_samples,
        samples_per_patch=16,
        channels=1,
        stem="patches",
        sampling_rate=48000,
        mel_bins=128,
        **kwargs,
    ):
        kwargs.setdefault("autocast", False)  # half precision is too coarse for spectrograms
        self.num_samples = arguments.whole_number("num_samples", num_samples)
        arguments.whole_number("channels", channels)
        super().__init__((num_samples, channels), **kwargs)
        self.samples_per_patch = arguments.whole_number("samples_per_patch", samples_per_patch)
        self.stem_name = arguments.one_of("stem", stem, ("patches", "mel"))
        self.sampling_rate = arguments.whole_number("sampling_rate", sampling_rate)
        self.mel_bins = arguments.whole_number("mel_bins", mel_bins)
        arguments.divisible("num_samples", num_samples, "samples_per_patch", samples_per_patch)

    def stem_shape(self, shape=None):
        num_samples, channels = shape or self.shape
        patches = num_samples // self.samples_per_patch
        if self.stem_name == "mel":
            return (patches + 1, self.mel_bins * channels)
        return (patches, self.samples_per_patch * channels)

    def build_stem(self):
        if self.stem_name == "mel":
            self.mel = keras.layers.MelSpectrogram(
                fft_length=4 * self.samples_per_patch,
                sequence_stride=self.samples_per_patch,
                sampling_rate=self.sampling_rate,
                num_mel_bins=self.mel_bins,
                max_freq=self.sampling_rate / 2,
                dtype="float32",
                name="mel",
            )

    def before_stem_channels(self):
        return self.stem_shape()[-1] if self.stem_name == "mel" else self.shape[-1]

    def before_stem(self, inputs):
        """Frames of the mel spectrogram, or raw samples."""
        if self.stem_name == "patches":
            return inputs
        mel = self.mel(ops.transpose(inputs, (0, 2, 1)))  # (batch, channels, bins, frames)
        mel = ops.transpose(mel, (0, 3, 1, 2))
        return ops.reshape(mel, (-1, *self.stem_shape()))

    def stem(self, inputs, training=None, repeated=False):
        return ops.cast(ops.reshape(inputs, (-1, *self.stem_shape())), self.compute_dtype)

    def stem_cost(self):
        if self.stem_name != "mel":
            return PartCost()
        bins = 4 * self.samples_per_patch // 2 + 1  # the Fourier transform itself is not counted
        frames, width = self.stem_shape()
        return PartCost(flops=2 * frames * bins * width)

    def query_grid(self):
        num_samples, channels = self.shape
        patches = num_samples // self.samples_per_patch
        return (patches,), self.samples_per_patch * channels, self.shape

    def get_config(self):
        config = super().get_config()
        del config["shape"]
        return {
            **config,
            "num_samples": self.num_samples,
            "samples_per_patch": self.samples_per_patch,
            "channels": self.shape[-1],
            "stem": self.stem_name,
            "sampling_rate": self.sampling_rate,
            "mel_bins": self.mel_bins,
        }
