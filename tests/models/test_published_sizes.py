"""Exact parameter counts of the published models (SPEC of the papers and their code)."""

import keras
import pytest
from keras import ops

import keras_perceiver as kp
from keras_perceiver import presets


@pytest.fixture(autouse=True)
def zero_weights(monkeypatch):
    """Drawing hundreds of millions of random numbers takes most of the time of these tests."""
    for initializer in (keras.initializers.VarianceScaling, keras.initializers.TruncatedNormal):
        monkeypatch.setattr(
            initializer, "__call__", lambda self, shape, dtype=None: ops.zeros(shape, dtype)
        )


def imagenet(image, **options):
    options = {**presets.PERCEIVER_IO_IMAGENET, "compile": False, **options}
    return kp.build_classifier(kp.Image(**image), 1000, **options)


def language(max_length, preset):
    return kp.build_masked_language_model(max_length, **preset, compile=False)


def multimodal(**options):
    inputs = {
        "video": kp.Video(**presets.KINETICS_VIDEO),
        "audio": kp.Audio(**presets.KINETICS_AUDIO),
        "label": kp.Labels(700),
    }
    return kp.build_autoencoder(inputs, **presets.MULTIMODAL, compile=False, **options)


@pytest.mark.parametrize(
    "build, trainable, statistics",
    [
        (lambda: imagenet(presets.IMAGE_FOURIER), 48_440_627, 0),
        pytest.param(
            lambda: imagenet(presets.IMAGE_LEARNED, **presets.PERCEIVER_IO_IMAGENET_LEARNED),
            62_255_848,
            0,
            marks=pytest.mark.slow,  # test_costs.py has the same numbers by formula
        ),
        (lambda: imagenet(presets.IMAGE_CONV), 48_646_522, 128),
        (lambda: language(2048, presets.LANGUAGE), 201_108_230, 0),
        pytest.param(
            lambda: language(2048, presets.LANGUAGE_PLUS_PLUS),
            425_607_430,
            0,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda: language(512, presets.LANGUAGE_SENTENCEPIECE),
            223_155_456,
            0,
            marks=pytest.mark.slow,
        ),
        (
            lambda: kp.build_optical_flow(368, 496, **presets.OPTICAL_FLOW, compile=False),
            41_057_134,
            0,
        ),
        (multimodal, 19_858_855, 0),
    ],
    ids=["fourier", "learned", "conv", "language", "plus_plus", "sentencepiece", "flow", "av"],
)
def test_number_of_parameters(build, trainable, statistics):
    model = build()
    assert model.count_params() == trainable + statistics


@pytest.mark.parametrize(
    "image, num_inputs, input_dim",
    [
        (presets.IMAGE_FOURIER, 50_176, 261),
        (presets.IMAGE_LEARNED, 50_176, 512),
        (presets.IMAGE_CONV, 3_136, 322),
    ],
)
def test_inputs_of_the_imagenet_models(image, num_inputs, input_dim):
    reader = kp.Image(**image)
    assert (reader.num_inputs, reader.input_dim) == (num_inputs, input_dim)


def test_inputs_and_queries_of_the_multimodal_model():
    model = multimodal(attention="plain")
    inputs = model.get_layer("encoder").get_layer("inputs")
    widths = {name: w.shape[-1] for name, w in inputs.paddings.items()}
    assert inputs.width == 704
    assert widths == {"audio": 303, "video": 461, "label": 4}
    assert inputs.output.shape == (None, 52_097, 704)
    queries = model.get_layer("decoder").get_layer("queries")
    widths = {name: w.shape[-1] for name, w in queries.paddings.items()}
    assert queries.width == 1026
    assert widths == {"audio": 641, "video": 831, "label": 2}
    assert queries.output.shape == (None, 804_737, 1026)
