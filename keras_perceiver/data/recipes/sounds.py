"""Sounds with one label or several."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.answer import Answer
from keras_perceiver.data.recipes.clips import clips
from keras_perceiver.data.recipes.lengths import cut
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.inputs.audio import Audio
from keras_perceiver.outputs.classes import Classes


def sounds(
    builder,
    *,
    num_samples=None,
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
        num_samples: Length of the model's input. Default: as in the data set.
        samples_per_patch, sampling_rate, stem, mel_bins: As of `Audio`.
        label: The feature that is the answer; see `Answer`.
    """
    feature = builder.info.features["audio"]
    num_samples = arguments.whole_number("num_samples", num_samples or feature.shape[0])
    channels = 1 if len(feature.shape) == 1 else feature.shape[-1]
    answer = Answer(builder.info.features, label)
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
        return features["audio"], answer(features)

    def prepare(samples):
        if samples.dtype.is_integer:  # 16 bits, whatever the type that holds them
            samples = tf.cast(samples, tf.float32) / 2**15
        samples = tf.reshape(tf.cast(samples, tf.float32), (-1, channels))
        return cut(samples, num_samples)

    return Recipe(
        builder.name,
        described,
        Classes(answer.num_classes, multi_label=answer.several),
        read,
        prepare,
        usual_splits(builder, splits),
        answer.names,
    )


def audioset(
    builder,
    *,
    num_samples=61440,
    samples_per_patch=128,
    stem="patches",
    sampling_rate=48000,
    mel_bins=128,
    frames=32,
    size=None,
):
    """Clips of AudioSet: 1.28 seconds of sound, and 32 frames if the data set was made with video.

    Args:
        builder: The builder of `audioset_clips`.
        num_samples: Length of the sound; at 48 kHz, 61,440 are 1.28 s.
        samples_per_patch, stem, sampling_rate, mel_bins: As of `Audio`. With video, the sound is in
            patches.
        frames, size: Of the video, if there is one; see `clips`.
    """
    options = {"num_samples": num_samples, "samples_per_patch": samples_per_patch}
    options.update(label="labels", splits=_audioset_splits(set(builder.info.splits)))
    if "video" in builder.info.features:
        options.update(frames=frames, size=size, patch_size=(2, 8, 8), audio="audio")
        return clips(builder, **options)
    options.update(stem=stem, sampling_rate=sampling_rate, mel_bins=mel_bins)
    return sounds(builder, **options)


def _audioset_splits(names):
    """Both training lists together, as far as the user has them, and the evaluation list."""
    training = [name for name in ("balanced_train", "unbalanced_train") if name in names]
    splits = {"train": "+".join(training), "test": "eval" if "eval" in names or not names else ""}
    return {name: split for name, split in splits.items() if split}
