"""The preparation that belongs to a model of a published family."""

import importlib.util
import json

import keras

from keras_perceiver.checkpoints.weight_names import family_of
from keras_perceiver.inputs.text import BYTE_VOCABULARY
from keras_perceiver.models.preset_directory import PREPROCESSOR


def preparation_of(model, numerics, class_names=None):
    """A layer from raw data to the model's inputs and from its outputs to readable answers.

    Args:
        model: A `Perceiver`.
        numerics: "huggingface" or "deepmind": whose images are cropped and whose texts have special
            tokens.
        class_names: Names of the classes in order, if known.

    Returns:
        A layer of `kp.preparation`, or None if there is none for such a model, or no TensorFlow,
        which these layers need under any backend.
    """
    if not _available():
        return None
    from keras_perceiver.preparation import (
        ClipPreparation,
        FlowPreparation,
        ImagePreparation,
        TextPreparation,
    )

    try:
        family = family_of(model)
    except ValueError:
        return None
    inputs = model.input_descriptions
    if "text" in inputs:
        text = inputs["text"]
        if text.vocab_size != BYTE_VOCABULARY:
            return None
        special = numerics == "huggingface"
        return TextPreparation(text.max_length, special_tokens=special, masked=text.masked)
    if family == "optical flow":
        height, width = inputs["frames"].shape[1:3]
        return FlowPreparation(height, width, min_overlap=min(20, height - 1, width - 1))
    if family == "multimodal autoencoder":
        frames, height, width, _ = inputs["video"].shape
        samples, _ = inputs["audio"].shape
        classes = inputs["label"].num_classes
        return ClipPreparation(frames, height, width, samples, classes, class_names=class_names)
    height, width, channels = inputs["image"].shape
    if channels != 3 or None in (height, width):
        return None
    return ImagePreparation(height, width, convention=numerics, class_names=class_names)


def saved_preparation(directory):
    """The layer in a directory of `save_to_preset`, or None.

    Raises:
        TypeError: if it is a layer of your own that is not registered with Keras.
    """
    path = directory / PREPROCESSOR
    if not path.is_file() or not _available():
        return None
    import keras_perceiver.preparation  # noqa: F401

    return keras.saving.deserialize_keras_object(json.loads(path.read_text(encoding="utf8")))


def _available():
    """Whether there is TensorFlow, which all preparations need under any backend."""
    return importlib.util.find_spec("tensorflow") is not None
