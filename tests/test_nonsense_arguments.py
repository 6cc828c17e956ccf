"""Nonsense in place of each argument of each function at the edges: it works, or is explained."""

import functools
import inspect
import itertools
import sys

import numpy as np
import pytest

import keras_perceiver as kp
from tests.nonsense import unexplained
from tests.random_values import normal

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("no_collections")]

SMALL = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1, "jit_compile": False}
SMALL["num_self_attention_heads"] = 2


def classifier():
    return kp.build_classifier((4, 4, 1), 3, **SMALL)


def encoding():
    layer = kp.FourierEncoding(2)
    layer.build((None, 5, 4, 1))
    return layer


def pairs():
    return kp.data.from_arrays(normal(4, 4, 4, 1), np.array([0, 1, 2, 0]), 2, num_classes=3)


def texts():
    import tensorflow as tf

    ids = kp.data.text_ids(["a text", "another"], 8)
    return tf.data.Dataset.from_tensor_slices(ids).batch(2)


@functools.cache
def ready():
    """A model that no case changes."""
    return classifier()


@functools.cache
def with_lora():
    return kp.finetuning.enable_lora(classifier(), 2)


def mixed():
    return {"images": np.zeros((4, 8, 9, 3), "uint8"), "labels": np.array([0, 1, 2, 0])}


def unequal():
    import tensorflow as tf

    ones = tf.data.Dataset.from_tensor_slices([1, 5, 2, 3])
    return ones.map(lambda n: (tf.zeros((n, 2)), n))


def sampled():
    return kp.build_autoencoder({"image": kp.Image(4, 4)}, num_decoded={"image": 3}, **SMALL)


def whole_targets():
    import tensorflow as tf

    images = normal(4, 4, 4, 3)
    return tf.data.Dataset.from_tensor_slices(({"image": images}, {"image": images})).batch(2)


_NUMBERS = itertools.count()


def new(suffix=""):
    return f"written{next(_NUMBERS)}{suffix}"


def saved(save, model):
    path = new(".npz")
    save(model, path)
    return path


def png():
    import tensorflow as tf

    return tf.io.encode_png(np.zeros((4, 4, 1), "uint8"))


def wav():
    import tensorflow as tf

    return tf.audio.encode_wav(np.zeros((20, 1), "float32"), 8000)


def colours():
    return np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3), "uint8")


def cases():
    """{name: (function, its good arguments)}, made anew for each test."""
    images, labels = normal(4, 4, 4, 1), np.array([0, 1, 2, 0])
    return {
        "data.Recipe": (
            kp.data.Recipe,
            lambda: {
                "dataset": "optical_digits",
                "inputs": (8, 8, 1),
                "outputs": kp.Classes(10),
                "read": lambda features: (features["image"], features["label"]),
                "prepare": lambda pixels: pixels,
                "splits": {},
                "class_names": None,
                "open": False,
                "options": {},
            },
        ),
        "data.bucketed": (
            kp.data.bucketed,
            lambda: {
                "dataset": unequal(),
                "batch_size": 2,
                "lengths": (3, 5),
                "drop_remainder": False,
            },
        ),
        "data.imagenet_augmentation": (
            kp.data.imagenet_augmentation,
            lambda: {
                **mixed(),
                "seed": [1, 2],
                "image_size": 6,
                "num_classes": 3,
                "num_layers": 1,
                "magnitude": 5.0,
                "mix": True,
                "mean": (0.5, 0.5, 0.5),
                "std": (0.2, 0.2, 0.2),
            },
        ),
        "data.mel_spectrogram": (
            kp.data.mel_spectrogram,
            lambda: {
                "samples": normal(200, 1),
                "sampling_rate": 8000,
                "num_bands": 4,
                "window": 64,
                "stride": 32,
                "fft_length": None,
                "low": 0.0,
                "high": 3000.0,
                "decibels": True,
                "top_db": 80.0,
            },
        ),
        "data.mix_up": (
            kp.data.mix_up,
            lambda: {
                "inputs": normal(4, 3),
                "labels": np.array([0, 1, 2, 0]),
                "seed": [1, 2],
                "alpha": 0.2,
                "num_classes": 3,
            },
        ),
        "data.rand_augment": (
            kp.data.rand_augment,
            lambda: {
                "images": np.zeros((4, 5, 3), "uint8"),
                "seed": [1, 2],
                "num_layers": 1,
                "magnitude": 5.0,
            },
        ),
        "data.random_area_crop": (
            kp.data.random_area_crop,
            lambda: {
                "images": np.zeros((7, 5, 3), "uint8"),
                "seed": [1, 2],
                "height": 4,
                "width": 3,
                "area": (0.1, 1.0),
                "aspect": (0.75, 1.3),
            },
        ),
        "data.read_sound": (
            kp.data.read_sound,
            lambda: {
                "path": None,
                "encoded": wav(),
                "sampling_rate": 8000,
                "channels": 1,
                "num_samples": 10,
                "pad": False,
                "resample": True,
                "quality": "HQ",
                "decode": "soundfile",
            },
        ),
        "data.spec_augment": (
            kp.data.spec_augment,
            lambda: {
                "spectrograms": normal(6, 4, 1),
                "seed": [1, 2],
                "max_bands": 2,
                "max_frames": 2,
                "num_band_masks": 1,
                "num_frame_masks": 1,
                "fill": 0.0,
            },
        ),
        "data.load": (
            kp.data.load,
            lambda: {
                "name": "optical_digits",
                "split": "test",
                "data_dir": "data",
                "source_dir": None,
                "download": True,
                "batch_size": 4,
                "shuffle": None,
                "shuffle_buffer": 10,
                "seed": 0,
                "prepare": None,
                "augment": None,
                "cache": False,
                "buckets": None,
                "drop_remainder": False,
                "corrupt": "stop",
                "worker": (0, 1),
                "service": None,
            },
        ),
        "data.names": (kp.data.names, lambda: {}),
        "data.recipe": (
            kp.data.recipe,
            lambda: {"name": "optical_digits", "data_dir": None, "source_dir": None},
        ),
        "data.check_ids": (
            kp.data.check_ids,
            lambda: {"dataset": texts(), "vocab_size": 262, "name": None},
        ),
        "data.check_labels": (kp.data.check_labels, lambda: {"dataset": pairs(), "num_classes": 3}),
        "data.cut_mix": (kp.data.cut_mix, lambda: {**mixed(), "seed": [1, 2], "num_classes": 3}),
        "data.describe_table": (
            kp.data.describe_table,
            lambda: {"data": {"age": [31.0, None], "ward": ["a", "b"]}, "name": "patient"},
        ),
        "data.digits": (kp.data.digits, lambda: {"batch_size": 8, "seed": 0, "augment": None}),
        "data.drop_modalities": (
            kp.data.drop_modalities,
            lambda: {"inputs": {"sound": normal(4, 3)}, "rates": {"sound": 0.5}, "seed": [1, 2]},
        ),
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
        "training.Lamb": (
            kp.training.Lamb,
            lambda: {
                "learning_rate": 0.1,
                "weight_decay": 0.1,
                "beta_1": 0.9,
                "beta_2": 0.99,
                "epsilon": 1e-6,
                "global_clipnorm": 1.0,
                "exclude_from_weight_decay": ["bias"],
                "name": "lamb",
            },
        ),
        "training.LossSpikeGuard": (
            kp.training.LossSpikeGuard,
            lambda: {
                "factor": 2.0,
                "in_a_row": 3,
                "window": 50,
                "floor": 0.1,
                "snapshot_every": 10,
                "lower_by": 0.5,
                "patience": 3,
            },
        ),
        "training.TrainingRecipe": (
            kp.training.TrainingRecipe,
            lambda: {
                "name": "mine",
                "steps": 100,
                "batch_size": 8,
                "peak": 0.1,
                "schedule": "flat_then_cosine",
                "schedule_options": {"flat": 0.4},
                "weight_decay": 0.1,
                "global_clipnorm": 1.0,
                "label_smoothing": 0.1,
                "losses": {},
                "loss_weights": None,
                "ema_momentum": 0.9,
                "num_examples": 80,
                "source": "here",
                "unstated": "",
            },
        ),
        "training.falling_in_steps": (
            kp.training.falling_in_steps,
            lambda: {"peak": 0.1, "steps": 100, "at": (0.5, 0.8), "factor": 0.5},
        ),
        "training.flat_then_cosine": (
            kp.training.flat_then_cosine,
            lambda: {"peak": 0.1, "steps": 100, "flat": 0.5},
        ),
        "training.warm_up_then_cosine": (
            kp.training.warm_up_then_cosine,
            lambda: {"peak": 0.1, "steps": 100, "warm_up_steps": 10},
        ),
        "training.warm_up_then_flat": (
            kp.training.warm_up_then_flat,
            lambda: {"peak": 0.1, "warm_up_steps": 10},
        ),
        "training.recipe": (
            kp.training.recipe,
            lambda: {
                "name": "glue",
                "batch_size": 8,
                "num_examples": 80,
                "epochs": None,
                "steps": None,
                "peak": 0.1,
                "label_smoothing": 0.1,
                "ema_momentum": 0.9,
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
            lambda: {
                "model": classifier(),
                "inputs": images,
                "part": "encoder",
                "queries": None,
                "latents": [0],
                "cross_attends": [0],
                "heads": "mean",
            },
        ),
        "visualization.integrated_gradients": (
            kp.visualization.integrated_gradients,
            lambda: {
                "model": classifier(),
                "inputs": images,
                "output": None,
                "query": 0,
                "target": 1,
                "baseline": None,
                "steps": 2,
            },
        ),
        "visualization.plot_attention": (
            kp.visualization.plot_attention,
            lambda: {
                "model": classifier(),
                "inputs": images,
                "example": 1,
                "output": None,
                "query": 0,
                "latent": None,
                "headings": None,
                "title": "t",
            },
        ),
        "visualization.plot_positions": (
            kp.visualization.plot_positions,
            lambda: {"encoding": encoding(), "axis": 0, "size": 5},
        ),
        "visualization.AttentionToTensorBoard": (
            kp.visualization.AttentionToTensorBoard,
            lambda: {"log_dir": "logs", "inputs": images, "examples": (0,), "every": 1},
        ),
        "inspection.describe": (kp.describe, lambda: {"model": classifier()}),
        "inspection.check": (
            kp.check,
            lambda: {
                "model": classifier(),
                "data": (images, labels),
                "examples": 4,
                "steps": 2,
                "batch_size": 2,
                "memory": None,
            },
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
        "data.sample_queries": (
            kp.data.sample_queries,
            lambda: {"dataset": whole_targets(), "model": sampled(), "seed": 1},
        ),
        "tuning.SearchSpace": (
            kp.tuning.SearchSpace,
            lambda: {"candidates": {"width": [2, 4]}, "fits": lambda drawn: True},
        ),
        "finetuning.merge_lora": (kp.finetuning.merge_lora, lambda: {"model": with_lora()}),
        "finetuning.quantize": (kp.finetuning.quantize, lambda: {"model": classifier()}),
        "finetuning.save": (
            kp.finetuning.save,
            lambda: {"model": ready(), "path": new(".npz")},
        ),
        "finetuning.load": (
            kp.finetuning.load,
            lambda: {"path": saved(kp.finetuning.save, ready()), "compile": False},
        ),
        "finetuning.save_adapters": (
            kp.finetuning.save_adapters,
            lambda: {"model": with_lora(), "path": new(".npz")},
        ),
        "finetuning.load_adapters": (
            kp.finetuning.load_adapters,
            lambda: {
                "model": classifier(),
                "path": saved(kp.finetuning.save_adapters, with_lora()),
            },
        ),
        "export.saved_model": (
            kp.export.saved_model,
            lambda: {
                "model": ready(),
                "path": new(),
                "version": 1,
                "class_names": ["a", "b", "c"],
                "prepare": {},
                "open_sizes": False,
                "max_batch": 8,
                "max_growth": 1,
                "max_bytes": 2**20,
                "max_pixels": 2**20,
                "allow_uncompiled": False,
            },
        ),
        **{
            f"export.{name}": (
                getattr(kp.export, name),
                lambda suffix=suffix: {
                    "model": ready(),
                    "path": new(suffix),
                    "allow_uncompiled": False,
                },
            )
            for name, suffix in (("onnx", ".onnx"), ("litert", ".tflite"))
        },
        "export.openvino": (
            kp.export.openvino,
            lambda: {
                "model": ready(),
                "path": new(),
                "version": 1,
                "class_names": ["a", "b", "c"],
                "allow_uncompiled": False,
            },
        ),
        "export.openvino_int8": (
            kp.export.openvino_int8,
            lambda: {
                "model": ready(),
                "path": new(".xml"),
                "calibration": normal(2, 4, 4, 1),
                "validation": (normal(2, 4, 4, 1), np.zeros(2, "int32")),
                "metric": "accuracy",
                "mode": "auto",
                "largest_loss": 1.0,
                "num_examples": 1,
                "in_float": ("encoder_cross_attention",),
                "verbose": 0,
                "allow_uncompiled": False,
            },
        ),
        "preparation.ClipPreparation": (
            kp.preparation.ClipPreparation,
            lambda: {
                "frames": 2,
                "height": 4,
                "width": 4,
                "num_samples": 6,
                "num_classes": 2,
                "sampling_rate": 8000,
                "class_names": ["a", "b"],
                "max_pixels": 100,
            },
        ),
        "preparation.FlowPreparation": (
            kp.preparation.FlowPreparation,
            lambda: {"height": 4, "width": 5, "min_overlap": 1, "max_pixels": 100},
        ),
        "preparation.ImagePreparation": (
            kp.preparation.ImagePreparation,
            lambda: {
                "height": 4,
                "width": 5,
                "convention": "huggingface",
                "crop_fraction": 0.9,
                "mean": (0.5, 0.5, 0.5),
                "std": (0.2, 0.2, 0.2),
                "class_names": ["a", "b"],
                "max_pixels": 100,
            },
        ),
        "preparation.TextPreparation": (
            kp.preparation.TextPreparation,
            lambda: {
                "max_length": 8,
                "special_tokens": True,
                "masked": False,
                "mask_token": "?",
            },
        ),
        "preparation.flow_picture": (
            kp.preparation.flow_picture,
            lambda: {"flow": normal(4, 5, 2), "max_length": 3.0},
        ),
        "text_to_ids": (kp.text_to_ids, lambda: {"text": "a text", "max_length": 8}),
        "ids_to_text": (kp.ids_to_text, lambda: {"ids": [70, 71]}),
        "costs": (kp.costs, lambda: {"model_or_arguments": classifier(), "batch": 1}),
    }


SLOW = (
    "inspection.check",
    "data.load",
    "training.fit",
    "finetuning.enable_lora",
    "finetuning.load_adapters",
)
NAMES = [
    pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW or n.startswith("export.")))
    for n in cases()
]
EDGES = ("data", "export", "finetuning", "preparation", "training", "tuning", "visualization")


@pytest.mark.parametrize("name", NAMES)
def test_it_works_or_is_explained(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, good = cases()[name]
    if name == "finetuning.quantize":
        function = lambda model: kp.finetuning.quantize(fresh(model))  # noqa: E731
    if name in ("export.onnx", "export.openvino"):
        pytest.importorskip(name.partition(".")[2])
    if name == "export.openvino":  # arguments are checked before; converting takes seconds
        module = sys.modules["keras_perceiver.export.openvino"]
        monkeypatch.setattr(module, "_write", lambda conversion, path: path.write_text(""))
    if name == "export.openvino_int8":  # the file to quantize is made once
        pytest.importorskip("nncf")
        kept = kp.export.openvino(ready(), "kept.xml")
        module = sys.modules[kp.export.openvino_int8.__module__]
        monkeypatch.setattr(module, "openvino", lambda model, path, **options: kept)
    given = good()
    assert set(given) >= {
        key
        for key, p in inspect.signature(cases()[name][0]).parameters.items()
        if p.kind != p.VAR_KEYWORD
    }
    if name == "training.fit":

        def good(given=given):
            given["model"].run_eagerly = True
            return given

    wrong = unexplained(function, good)
    assert not wrong, "\n".join(wrong)


def fresh(model):
    """It is changed by the call."""
    return classifier() if isinstance(model, kp.Perceiver) else model


def test_nothing_public_at_the_edges_is_left_out():
    public = {f"{edge}.{name}" for edge in EDGES for name in getattr(kp, edge).__all__}
    assert public <= set(cases())
