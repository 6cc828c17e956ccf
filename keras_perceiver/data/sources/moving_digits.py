"""Moving digits with tones."""

import functools

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.made_builder import MadeBuilder
from keras_perceiver.extras import require

_SIDE = 8  # pixels of a digit
_SHARES = {"train": (0.0, 0.6), "validation": (0.6, 0.75), "test": (0.75, 1.0)}  # of the images


class MovingDigits(MadeBuilder):
    """Films of a moving handwritten digit with a tone: labels to see, to hear, and for both.

    Made for the audio-visual experiment of the first paper, in small. A digit of scikit-learn's
    moves over a noisy canvas and bounces off its edges; one of ten pitches sounds for at least half
    of the time, over noise. Digit and tone are independent: each of the 100 pairs comes equally
    often. So a film says nothing about the tone, and a sound nothing about the digit. The joint
    label is (digit + tone) modulo `num_joint`, which is independent of the digit, and of the tone:
    either of them alone says nothing about it, nor does a sum of one score from the film and one
    from the sound tell it, as a late combination would. Splits have different images of digits.

    Args:
        num_frames, frame_rate, size: Pictures of a film, how many a second, and their height and
            width.
        sampling_rate: Samples of sound a second. Pitches are from a tenth to a third of it.
        num_joint: Classes of the joint label: 2, 5 or 10.
        seed: Fixes the data.
        num_train, num_validation, num_test: Examples of each split; multiples of 100 give exactly
            balanced labels.
        **others: `data_dir` and the other arguments of a builder.

    Returns:
        Examples with `video` `(num_frames, size, size, 1)` uint8, `audio` `(num_frames *
        sampling_rate / frame_rate, 1)` float32 from -1 to 1, `digit`, `tone` and `joint` labels,
        and `labels` `(20 + num_joint,)` uint8, which has a 1 for each of these three in turn.

    Raises:
        ValueError: if an argument is out of range.
        ImportError: if scikit-learn is not installed.

    Example:

    >>> builder = MovingDigits(num_train=2000)
    >>> builder.download_and_prepare()

    Reference: Perceiver (arXiv 2103.03206), section 4.3. Digits: E. Alpaydin, C. Kaynak, UCI
    Machine Learning Repository, 1998 (CC BY 4.0).
    """

    def __init__(
        self,
        *,
        num_frames=8,
        frame_rate=8,
        size=20,
        sampling_rate=2048,
        num_joint=5,
        seed=0,
        num_train=4000,
        num_validation=500,
        num_test=1000,
        **others,
    ):
        options = {
            "num_frames": arguments.whole_number("num_frames", num_frames),
            "frame_rate": arguments.whole_number("frame_rate", frame_rate),
            "size": arguments.whole_number("size", size, at_least=_SIDE),
            "sampling_rate": arguments.whole_number("sampling_rate", sampling_rate),
            "num_joint": arguments.one_of("num_joint", num_joint, (2, 5, 10)),
        }
        if num_frames * sampling_rate % frame_rate:
            raise ValueError(
                "`sampling_rate` must give a whole number of samples in `num_frames` at "
                f"`frame_rate`. Received: {num_frames} * {sampling_rate} / {frame_rate}"
            )
        counts = {"num_train": num_train, "num_validation": num_validation, "num_test": num_test}
        super().__init__(options, seed=seed, **counts, **others)

    @property
    def num_samples(self):
        options = self.options
        return options["num_frames"] * options["sampling_rate"] // options["frame_rate"]

    def made(self, number, split, random):
        digit, tone = number % 10, number // 10 % 10
        joint = (digit + tone) % self.options["num_joint"]
        labels = np.zeros(20 + self.options["num_joint"], "uint8")
        labels[[digit, 10 + tone, 20 + joint]] = 1
        images = _images(digit, split)
        return {
            "video": self._film(images[random.integers(len(images))], random),
            "audio": self._sound(tone, random),
            "digit": digit,
            "tone": tone,
            "joint": joint,
            "labels": labels,
        }

    def _film(self, image, random):
        frames, size = self.options["num_frames"], self.options["size"]
        room = size - _SIDE
        way = random.uniform(0, 2 * room, 2) + np.outer(
            np.arange(frames), random.uniform(1, 3, 2) * random.choice((-1, 1), 2)
        )
        way = np.abs((way + room) % (2 * room) - room) if room else np.zeros_like(way)
        film = random.uniform(0, 30, (frames, size, size))
        bright = random.uniform(150, 255) * image
        for frame, (top, left) in zip(film, np.rint(way).astype(int)):
            part = frame[top : top + _SIDE, left : left + _SIDE]
            np.maximum(part, bright, out=part)
        return film.astype("uint8")[..., None]

    def _sound(self, tone, random):
        count = self.num_samples
        pitch = 0.1 * 2 ** (tone / 5) * random.uniform(0.99, 1.01)  # periods a sample
        wave = np.sin(2 * np.pi * (pitch * np.arange(count) + random.random()))
        start, length = random.uniform(0, 0.5) * count, random.uniform(0.5, 1) * count
        heard = (np.arange(count) >= start) & (np.arange(count) < start + length)
        sound = random.uniform(0.2, 0.6) * wave * heard + random.normal(0, 0.1, count)
        return np.clip(sound, -1, 1).astype("float32")[:, None]

    def described(self):
        options, classes = self.options, tfds.features.ClassLabel
        names = [f"digit {i}" for i in range(10)] + [f"tone {i}" for i in range(10)]
        names += [f"joint {i}" for i in range(options["num_joint"])]
        return {
            "description": "Moving digits with tones: labels to see, to hear, and for both.",
            "license": "CC BY 4.0 (the digits)",
            "metadata": tfds.core.MetadataDict(label_names=names),
            "features": tfds.features.FeaturesDict(
                {
                    "video": tfds.features.Tensor(
                        shape=(options["num_frames"], options["size"], options["size"], 1),
                        dtype=np.uint8,
                    ),
                    "audio": tfds.features.Tensor(shape=(self.num_samples, 1), dtype=np.float32),
                    "digit": classes(num_classes=10),
                    "tone": classes(num_classes=10),
                    "joint": classes(num_classes=options["num_joint"]),
                    "labels": tfds.features.Tensor(shape=(len(names),), dtype=np.uint8),
                }
            ),
        }


@functools.cache
def _images(digit, split):
    """The images of a digit that a split may use, `(n, 8, 8)` from 0 to 1 (ink)."""
    bundled = require("sklearn.datasets", "examples").load_digits()
    images = bundled.images[bundled.target == digit] / 16
    images = images[np.random.default_rng(digit).permutation(len(images))]
    first, last = (round(share * len(images)) for share in _SHARES[split])
    return images[first:last]
