"""Sound files to samples, by soundfile and soxr, in NumPy."""

import io
from dataclasses import dataclass

import numpy as np

from keras_perceiver.data.sound_ends import ends_early
from keras_perceiver.extras import require

QUALITIES = ("QQ", "LQ", "MQ", "HQ", "VHQ")
_BLOCK = 2**17  # samples decoded at once: memory follows the file, not what its header says


@dataclass(frozen=True)
class SoundDecoder:
    """Decodes the bytes of one sound file, and resamples, cuts and checks it.

    The fields are the arguments of `read_sound`, which checks and explains them.
    """

    sampling_rate: int
    channels: int | None
    num_samples: int | None
    resample: bool
    pad: bool
    quality: str

    def __call__(self, contents, name):
        """float32 `(samples, channels)`, or ValueError, which begins with `name`."""
        if not contents:
            raise ValueError(f"{name} is empty: it has no bytes.")
        soundfile = require("soundfile", "data")
        try:
            with soundfile.SoundFile(io.BytesIO(contents)) as file:
                rate = self.checked_rate(file.samplerate, name)
                wanted = self._frames_to_read(rate)
                blocks = list(_blocks(file, wanted))
                promised = file.frames
        except soundfile.LibsndfileError as error:
            raise ValueError(
                f"{name} must be a WAV, FLAC, OGG or MP3 file. It is something else, is damaged or "
                f"ends early: {error.error_string}"
            ) from None
        samples = np.concatenate([np.zeros((0, file.channels), "float32"), *blocks])
        if ends_early(contents, promised if wanted is None else 0, len(samples)):
            raise ValueError(f"{name} ends early: only its beginning is there.")
        return self.finished(samples, rate, name)

    def checked_rate(self, rate, name):
        if rate != self.sampling_rate and not self.resample:
            raise ValueError(
                f"{name} must have {self.sampling_rate} samples a second, because of "
                f"resample=False. Received: {rate}"
            )
        return rate

    def finished(self, samples, rate, name):
        """Decoded samples `(samples, channels)` as the caller wants them."""
        if not len(samples):
            raise ValueError(f"{name} has no samples.")
        if not np.isfinite(samples).all():
            raise ValueError(f"{name} must hold finite numbers. Received: NaN or infinity")
        samples = self._in_channels(samples)
        if rate != self.sampling_rate:
            soxr = require("soxr", "data")
            samples = soxr.resample(samples, rate, self.sampling_rate, quality=self.quality)
        samples = np.clip(samples, -1, 1)
        return samples if self.num_samples is None else self._of_length(samples, name)

    def _frames_to_read(self, rate):
        """How many frames of the file matter, or None if all do.

        Beyond the cut, resampling looks ahead for less than 2,048 samples of the slower rate.
        """
        if self.num_samples is None:
            return None
        if rate == self.sampling_rate:
            return self.num_samples
        ratio = rate / self.sampling_rate
        return int(self.num_samples * ratio) + int(2048 * max(1.0, ratio)) + 1

    def _in_channels(self, samples):
        if self.channels is None:
            return samples
        return samples[:, np.minimum(np.arange(self.channels), samples.shape[1] - 1)]

    def _of_length(self, samples, name):
        missing = self.num_samples - len(samples)
        if missing > 0 and not self.pad:
            raise ValueError(
                f"{name} must have at least {self.num_samples} samples at {self.sampling_rate} Hz "
                f"(pad=True fills up shorter sounds). Received: {len(samples)}"
            )
        return np.pad(samples[: self.num_samples], [(0, max(missing, 0)), (0, 0)])


def _blocks(file, wanted):
    """Blocks of at most `wanted` frames altogether, until the file ends."""
    left = np.inf if wanted is None else wanted
    while left > 0:
        block = file.read(int(min(_BLOCK, left)), dtype="float32", always_2d=True)
        if not len(block):
            return
        left -= len(block)
        yield block
