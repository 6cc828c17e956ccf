"""Nonsense in place of each argument of each function at the edges: it works, or is explained."""

import inspect

import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal

pytestmark = pytest.mark.tensorflow

NONSENSE = {
    "None": None,
    "True": True,
    "no": "no",
    "empty string": "",
    "empty dict": {},
    "a dict": {"a": 1},
    "empty list": [],
    "a list with None": [None, 2],
    "-1": -1,
    "0": 0,
    "2.5": 2.5,
    "nan": float("nan"),
    "object": object(),
    "an array": np.zeros((2, 3, 4), "float32"),
    "words": np.array(["a", "b"]),
}
SMALL = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1, "jit_compile": False}
SMALL["num_self_attention_heads"] = 2


def classifier():
    return kp.build_classifier((4, 4, 1), 3, **SMALL)


def pairs():
    return kp.data.from_arrays(normal(4, 4, 4, 1), np.array([0, 1, 2, 0]), 2, num_classes=3)


def texts():
    import tensorflow as tf

    ids = kp.data.text_ids(["a text", "another"], 8)
    return tf.data.Dataset.from_tensor_slices(ids).batch(2)


def png():
    import tensorflow as tf

    return tf.io.encode_png(np.zeros((4, 4, 1), "uint8"))


def wav():
    import tensorflow as tf

    return tf.audio.encode_wav(np.zeros((20, 1), "float32"), 8000)


def cases():
    """{name: (function, its good arguments)}, made anew for each test."""
    images, labels = normal(4, 4, 4, 1), np.array([0, 1, 2, 0])
    return {
        "data.check_ids": (
            kp.data.check_ids,
            lambda: {"dataset": texts(), "vocab_size": 262, "name": None},
        ),
        "data.check_labels": (kp.data.check_labels, lambda: {"dataset": pairs(), "num_classes": 3}),
        "data.digits": (kp.data.digits, lambda: {"batch_size": 8, "seed": 0, "augment": None}),
        "data.from_arrays": (
            kp.data.from_arrays,
            lambda: {
                "inputs": images,
                "targets": labels,
                "batch_size": 2,
                "num_classes": 3,
                "shuffle": True,
                "seed": 1,
                "augment": None,
                "drop_remainder": False,
            },
        ),
        "data.image_pixels": (
            kp.data.image_pixels,
            lambda: {
                "encoded": png(),
                "height": 4,
                "width": 4,
                "channels": 1,
                "low": 0.0,
                "high": 1.0,
                "max_pixels": 100,
            },
        ),
        "data.masked_words": (
            kp.data.masked_words,
            lambda: {"dataset": texts(), "probability": 0.2, "seed": 1},
        ),
        "data.pad": (kp.data.pad, lambda: {"examples": [normal(2, 3), normal(4, 3)], "length": 5}),
        "data.random_noise": (
            kp.data.random_noise,
            lambda: {"inputs": images, "seed": (1, 2), "stddev": 0.1},
        ),
        "data.random_shift": (
            kp.data.random_shift,
            lambda: {"images": images, "seed": (1, 2), "max_shift": 1},
        ),
        "data.text_ids": (kp.data.text_ids, lambda: {"texts": ["a"], "max_length": 3}),
        "data.wav_samples": (
            kp.data.wav_samples,
            lambda: {"encoded": wav(), "num_samples": 20, "channels": 1, "sampling_rate": 8000},
        ),
        "training.fit": (
            kp.training.fit,
            lambda: {
                "model": classifier(),
                "dataset": pairs(),
                "epochs": 1,
                "directory": None,
                "save_every": None,
                "keep": 3,
                "steps_per_epoch": 1,
                "validation_data": pairs(),
                "validation_steps": 1,
                "validation_freq": 1,
                "callbacks": (),
                "verbose": 0,
            },
        ),
        "training.strategy": (kp.training.strategy, lambda: {"name": "one", "devices": None}),
        "tuning.PerceiverHyperModel": (
            kp.tuning.PerceiverHyperModel,
            lambda: {
                "inputs": (4, 4, 1),
                "outputs": None,
                "num_classes": 3,
                "budget": None,
                "batch_size": 2,
                "search": None,
            },
        ),
        "visualization.attention_maps": (
            kp.visualization.attention_maps,
            lambda: {"model": classifier(), "inputs": images},
        ),
        "visualization.attention_rollout": (
            kp.visualization.attention_rollout,
            lambda: {"scores": [np.full((1, 2, 3, 3), 1 / 3)]},
        ),
        "visualization.draw_history": (
            kp.visualization.draw_history,
            lambda: {"history": {"loss": [1.0, 0.5]}, "title": "t"},
        ),
        "visualization.draw_attention": (
            kp.visualization.draw_attention,
            lambda: {
                "images": images,
                "maps": np.full((4, 4, 4), 1 / 16),
                "true_classes": labels,
                "predictions": labels,
                "class_names": ["a", "b", "c"],
                "columns": 2,
                "title": "t",
            },
        ),
        "finetuning.enable_lora": (
            kp.finetuning.enable_lora,
            lambda: {
                "model": classifier(),
                "rank": 2,
                "alpha": 1.0,
                "projections": ("query",),
                "feed_forward": True,
                "train_heads": True,
                "learning_rate": 0.1,
            },
        ),
        "predict_flow": (
            kp.predict_flow,
            lambda: {
                "model": kp.build_optical_flow(4, 5, stem_channels=4, **SMALL),
                "first": normal(4, 5, 3),
                "second": normal(4, 5, 3),
                "min_overlap": 1,
                "batch_size": 1,
            },
        ),
        "text_to_ids": (kp.text_to_ids, lambda: {"text": "a text", "max_length": 8}),
        "ids_to_text": (kp.ids_to_text, lambda: {"ids": [70, 71]}),
        "costs": (kp.costs, lambda: {"model_or_arguments": classifier(), "batch": 1}),
    }


# Bytes that are no picture are told as such; bounds name the other bound.
ALSO = {"encoded": ("an image must", "a sound must"), "low": ("`high`",), "inputs": ("`shape`",)}
SLOW = ("training.fit", "finetuning.enable_lora")
NAMES = [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in cases()]


@pytest.mark.parametrize("name", NAMES)
def test_it_works_or_is_explained(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, good = cases()[name]
    assert set(good()) >= {
        key for key, p in inspect.signature(function).parameters.items() if p.kind != p.VAR_KEYWORD
    }
    given = good()
    if name == "training.fit":
        given["model"].run_eagerly = True
    function(**given)  # what is replaced is good
    import tensorflow as tf

    wrong = []
    for argument in given:
        for label, value in NONSENSE.items():
            try:
                function(**{**good_again(given, good), argument: value})
            except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
                said = str(error).partition("Received")[0].lower()
                if not any(word in said for word in (argument, *ALSO.get(argument, ()))):
                    wrong.append(f"{argument}={label}: {type(error).__name__}: {str(error)[:90]}")
            except Exception as error:
                wrong.append(f"{argument}={label}: {type(error).__name__}: {str(error)[:90]}")
    assert not wrong, "\n".join(wrong)


def good_again(given, good):
    """The same arguments; a model of its own where calls change it."""
    return good() if "model" in given and "rank" in given else given
