"""Sounds with several events."""

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.made_builder import MadeBuilder

EVENTS = ("beeps", "clicks", "falling_chirp", "hum", "noise_burst", "rising_chirp")


class SoundEvents(MadeBuilder):
    """Sounds in which some of six events are heard over noise: AudioSet in small.

    The events are beeps of one pitch, clicks, a falling or a rising chirp (of the same band: only
    the order tells them apart), a hum with overtones, and a burst of noise. Each starts at a random
    time, lasts for a quarter to three quarters of the sound, and has a random level. Each of the 64
    sets of events, none included, comes equally often.

    Args:
        num_samples, sampling_rate: Samples of a sound, and how many there are a second.
        seed: Fixes the data.
        num_train, num_validation, num_test: Examples of each split; multiples of 64 give exactly
            balanced labels.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with `audio` `(num_samples, 1)` float32 from -1 to 1, and `labels` `(6,)` uint8,
        1 for each event that is heard, in the order of `info.metadata["label_names"]`.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> builder = SoundEvents(num_samples=8000)
    >>> builder.download_and_prepare()

    Reference: Perceiver (arXiv 2103.03206), section 4.3.
    """

    def __init__(
        self,
        *,
        num_samples=8000,
        sampling_rate=8000,
        seed=0,
        num_train=3200,
        num_validation=640,
        num_test=1280,
        **others,
    ):
        options = {
            "num_samples": arguments.whole_number("num_samples", num_samples, at_least=64),
            "sampling_rate": arguments.whole_number("sampling_rate", sampling_rate, at_least=1000),
        }
        counts = {"num_train": num_train, "num_validation": num_validation, "num_test": num_test}
        super().__init__(options, seed=seed, **counts, **others)

    def made(self, number, split, random):
        count, rate = self.options["num_samples"], self.options["sampling_rate"]
        labels = np.array([number >> bit & 1 for bit in range(len(EVENTS))], "uint8")
        sound = random.normal(0, random.uniform(0.01, 0.05), count)
        for name, present in zip(EVENTS, labels):
            length = round(random.uniform(0.25, 0.75) * count)
            start = random.integers(count - length + 1)
            event = _event(name, length, rate, random)
            event *= random.uniform(0.1, 0.4) / np.sqrt(np.mean(event**2) + 1e-9)
            event /= max(1, np.abs(event).max())
            if present:
                sound[start : start + length] += (
                    event * np.sin(np.linspace(0, np.pi, length)) ** 0.5
                )
        return {"audio": np.clip(sound, -1, 1).astype("float32")[:, None], "labels": labels}

    def described(self):
        return {
            "description": "Sounds in which some of six events are heard over noise.",
            "metadata": tfds.core.MetadataDict(label_names=list(EVENTS)),
            "features": tfds.features.FeaturesDict(
                {
                    "audio": tfds.features.Tensor(
                        shape=(self.options["num_samples"], 1), dtype=np.float32
                    ),
                    "labels": tfds.features.Tensor(shape=(len(EVENTS),), dtype=np.uint8),
                }
            ),
        }


def _event(name, length, rate, random):
    """The samples of an event, of any level."""
    time = np.arange(length) / rate
    if name == "noise_burst":
        return random.normal(size=length)
    if name == "clicks":
        clicks = np.zeros(length)
        clicks[random.integers(length, size=random.integers(4, 12))] = random.choice((-1.0, 1.0))
        return np.convolve(clicks, 0.85 ** np.arange(32))[:length]
    if name == "hum":
        pitch = random.uniform(0.008, 0.02) * rate
        levels = random.uniform(0.2, 1, 4)
        waves = [
            np.sin(2 * np.pi * pitch * (i + 1) * time + random.uniform(0, 6)) for i in range(4)
        ]
        return levels @ np.array(waves)
    if name == "beeps":
        pitch, pause = random.uniform(0.1, 0.3) * rate, length // random.integers(4, 9)
        return np.sin(2 * np.pi * pitch * time) * (np.arange(length) % pause < pause / 2)
    low, high = random.uniform(0.04, 0.08) * rate, random.uniform(0.2, 0.35) * rate
    growth = np.log(high / low) / (length / rate)
    chirp = np.sin(2 * np.pi * low * np.expm1(growth * time) / growth)
    return chirp if name == "rising_chirp" else chirp[::-1].copy()
