"""Sounds with one label or several."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.lengths import cut
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.inputs.audio import Audio
from keras_perceiver.outputs.classes import Classes


def sounds(
    builder,
    *,
    num_samples,
    samples_per_patch=128,
    sampling_rate=16000,
    stem="mel",
    mel_bins=64,
    label="label",
    splits=None,
):
    """Sounds in [-1, 1] of a fixed length, cut or padded with silence, and their class or classes.

    Args:
        builder: A builder of TFDS with the features "audio" and `label`.
        num_samples: Length of the model's input.
        samples_per_patch, sampling_rate, stem, mel_bins: As of `Audio`.
        label: The feature that is the answer: a class, or zeros and ones for every class. A tuple
            of names for a feature within others.
    """
    arguments.whole_number("num_samples", num_samples)
    feature = builder.info.features["audio"]
    channels = 1 if len(feature.shape) == 1 else feature.shape[-1]
    path = (label,) if isinstance(label, str) else label
    answer = _part(builder.info.features, path)
    several = len(answer.shape) > 0
    described = Audio(
        num_samples,
        samples_per_patch=samples_per_patch,
        channels=channels,
        stem=stem,
        sampling_rate=sampling_rate,
        mel_bins=mel_bins,
        normalize=True,
    )

    def read(features):
        found = _part(features, path)
        return features["audio"], tf.cast(found, tf.float32 if several else tf.int32)

    def prepare(samples):
        if samples.dtype.is_integer:  # 16 bits, whatever the type that holds them
            samples = tf.cast(samples, tf.float32) / 2**15
        samples = tf.reshape(tf.cast(samples, tf.float32), (-1, channels))
        return cut(samples, num_samples)

    classes = answer.shape[0] if several else answer.num_classes
    return Recipe(
        builder.name,
        described,
        Classes(classes, multi_label=several),
        read,
        prepare,
        usual_splits(builder, splits),
        None if several else tuple(answer.names),
    )


def _part(features, path):
    for key in path:
        features = features[key]
    return features
