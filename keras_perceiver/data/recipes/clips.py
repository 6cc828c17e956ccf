"""Video, with or without its sound, with or without a label."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.recipes.answer import Answer
from keras_perceiver.data.recipes.lengths import cut
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import usual_splits
from keras_perceiver.inputs.audio import Audio
from keras_perceiver.inputs.video import Video
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.reconstruction import Reconstruction


def clips(
    builder,
    *,
    frames=16,
    size=None,
    patch_size=(1, 4, 4),
    num_samples=None,
    samples_per_patch=16,
    video="video",
    audio=None,
    label="label",
    splits=None,
):
    """Clips in [0, 1] of a fixed size, their sound in [-1, 1], and the class or themselves.

    Without a label, the targets are the inputs: an autoencoder.

    Args:
        builder: A builder of TFDS.
        frames: Frames of the model's input: longer clips are cut, shorter ones padded with black.
        size: Height and width of a frame, one number or two. Default: as in the data set.
        patch_size: As of `Video`.
        num_samples: Samples of the sound. Default: as in the data set.
        samples_per_patch: As of `Audio`.
        video, audio, label: The features; `audio` and `label` may be None.
    """
    arguments.whole_number("frames", frames)
    *_, height, width, channels = builder.info.features[video].shape
    if size is not None:
        height, width = arguments.sizes(
            "size", (size, size) if isinstance(size, int) else size, rank=2
        )
    if height is None or width is None:
        raise ValueError(
            f"`size` must be given for {builder.name}, whose frames differ in size. Received: "
            "size=None"
        )
    inputs = {"video": Video(frames, height, width, channels, patch_size=patch_size)}
    if audio is not None:
        known, sound = builder.info.features[audio].shape
        num_samples = arguments.whole_number("num_samples", num_samples or known)
        inputs["audio"] = Audio(num_samples, samples_per_patch=samples_per_patch, channels=sound)

    def prepare(raw):
        pixels = tf.cast(raw["video"], tf.float32) / 255
        if size is not None:
            pixels = tf.image.resize(pixels, (height, width), antialias=True)
        found = {"video": cut(pixels, frames)}
        found["video"] = tf.ensure_shape(found["video"], (frames, height, width, channels))
        if audio is not None:
            found["audio"] = cut(tf.cast(raw["audio"], tf.float32), num_samples)
        return found

    def read(features):
        raw = {"video": features[video]}
        if audio is not None:
            raw["audio"] = features[audio]
        return raw, prepare(raw) if label is None else answer(features)

    outputs, names = {key: Reconstruction(key) for key in inputs}, None
    if label is not None:
        answer = Answer(builder.info.features, label)
        outputs, names = Classes(answer.num_classes, answer.several), answer.names
    return Recipe(
        builder.name, inputs, outputs, read, prepare, usual_splits(builder, splits), names
    )
