"""From examples to batches: tf.data pipelines that `model.fit` reads."""

from keras_perceiver.data.bucketed import bucketed
from keras_perceiver.data.check_ids import check_ids
from keras_perceiver.data.check_labels import check_labels
from keras_perceiver.data.cut_mix import cut_mix
from keras_perceiver.data.describe_table import describe_table
from keras_perceiver.data.digits import digits
from keras_perceiver.data.drop_modalities import drop_modalities
from keras_perceiver.data.from_arrays import from_arrays
from keras_perceiver.data.image_pixels import image_pixels
from keras_perceiver.data.imagenet_augmentation import imagenet_augmentation
from keras_perceiver.data.load import load
from keras_perceiver.data.masked_words import masked_words
from keras_perceiver.data.mel_spectrogram import mel_spectrogram
from keras_perceiver.data.mix_up import mix_up
from keras_perceiver.data.pad import pad
from keras_perceiver.data.rand_augment import rand_augment
from keras_perceiver.data.random_area_crop import random_area_crop
from keras_perceiver.data.random_noise import random_noise
from keras_perceiver.data.random_shift import random_shift
from keras_perceiver.data.read_sound import read_sound
from keras_perceiver.data.recipe import names, recipe
from keras_perceiver.data.recipes import Recipe
from keras_perceiver.data.sample_queries import sample_queries
from keras_perceiver.data.spec_augment import spec_augment
from keras_perceiver.data.text_ids import text_ids
from keras_perceiver.data.wav_samples import wav_samples

__all__ = [
    "Recipe",
    "bucketed",
    "check_ids",
    "check_labels",
    "cut_mix",
    "describe_table",
    "digits",
    "drop_modalities",
    "from_arrays",
    "image_pixels",
    "imagenet_augmentation",
    "load",
    "masked_words",
    "mel_spectrogram",
    "mix_up",
    "names",
    "pad",
    "rand_augment",
    "random_area_crop",
    "random_noise",
    "random_shift",
    "read_sound",
    "recipe",
    "sample_queries",
    "spec_augment",
    "text_ids",
    "wav_samples",
]
