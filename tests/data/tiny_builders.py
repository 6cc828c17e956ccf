"""Small data sets in the form of TensorFlow Datasets, made by the tests."""

import numpy as np
import tensorflow_datasets as tfds


class TinyPictures(tfds.core.GeneratorBasedBuilder):
    """Noise of different sizes; `broken` of the training pictures are no pictures."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=name) for name in ("whole", "broken")]
    BROKEN = (3, 5, 17)

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=["ant", "bee", "cat"]),
        }
        features = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, manager):
        counts = {"train": 37, "validation": 7, "test": 5, "nothing": 0}
        counts = {name: count for name, count in counts.items() if count}
        return {name: self._generate_examples(name, count) for name, count in counts.items()}

    def _generate_examples(self, name, count):
        for i in range(count):
            image = np.full((13 + i, 17, 3), i + 1, np.uint8)
            image = _damaged() if self._is_broken(name, i) else image
            yield i, {"image": image, "label": i % 3}

    def _is_broken(self, name, i):
        return self.builder_config.name == "broken" and name == "train" and i in self.BROKEN


class TinySeries(tfds.core.GeneratorBasedBuilder):
    """Counting numbers of 1 to 23 steps."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "series": tfds.features.Tensor(shape=(None, 2), dtype=np.float32),
            "label": tfds.features.ClassLabel(num_classes=2),
        }
        features = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, manager):
        return {"train": self._generate_examples(23), "test": self._generate_examples(11)}

    def _generate_examples(self, count):
        for i in range(count):
            steps = np.arange(i + 1, dtype="float32")
            yield i, {"series": np.stack([steps + 1000, -steps], axis=-1), "label": i % 2}


def _damaged():
    """The bytes of a PNG file cut off in the middle, as `Image` takes a file's bytes."""
    import io

    import tensorflow as tf

    pixels = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype("uint8")
    return io.BytesIO(tf.io.encode_png(pixels).numpy()[:700])
