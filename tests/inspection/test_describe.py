import re
import xml.etree.ElementTree as ElementTree

import keras
import pytest

import keras_perceiver as kp
from keras_perceiver.inspection.nearest_preset import expected_sizes, nearest_preset

SMALL = {
    "num_latents": 4,
    "latent_dim": 128,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 1,
    "compile": False,
}


FAST = ("perceiver_imagenet", "perceiver_io_optical_flow_conv", "perceiver_io_starcraft_entities")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in FAST else pytest.mark.slow) for n in kp.presets.list()],
)
def test_sizes_of_a_preset_are_known_without_building_it(name):
    """All arguments but the few that keep it small here."""
    preset = kp.presets.get(name)
    model = preset.build(**SMALL)
    sizes, expected = model.sizes.config(), expected_sizes(preset)
    changed = {key for key in sizes if sizes[key] != expected[key]}
    assert changed <= {*SMALL}
    nearest, differences = nearest_preset(model)
    assert nearest is preset
    assert {what for what, *_ in differences} == changed


def test_a_model_of_the_papers_is_known_by_name():
    preset = kp.presets.get("perceiver_io_starcraft_entities")
    found = str(kp.describe(preset.build(compile=False, attention="chunked")))
    assert "This is perceiver_io_starcraft_entities (" in found and "Different" not in found


def test_what_differs_is_told_line_by_line():
    model = kp.presets.get("perceiver_io_starcraft_entities").build(
        compile=False, num_latents=16, num_cross_attends=2
    )
    found = str(kp.describe(model))
    assert "Nearest of the papers' models: perceiver_io_starcraft_entities" in found
    assert "num_latents: 16 here, 32 there" in found
    assert "num_cross_attends: 2 here, 1 there" in found


def test_other_kinds_of_inputs_have_no_kin():
    model = kp.build_classifier({"a": kp.Table(3), "b": kp.Points(5)}, 3, compile=False)
    assert "None of the papers' models reads such inputs" in str(kp.describe(model))


def test_arrays_costs_and_shared_weights():
    inputs = {"film": kp.Video(3, 8, 4, 1), "sound": kp.Audio(24, samples_per_patch=4)}
    outputs = {"kind": kp.Classes(5), "film": kp.Reconstruction("film")}
    model = kp.build_perceiver_io(
        inputs, outputs, num_latents=7, latent_dim=16, num_cross_attends=3, num_blocks=2,
        compile=False,
    )  # fmt: skip
    text, costs = str(kp.describe(model)), kp.costs(model)
    array = model.encoder.get_layer("inputs").output.shape
    assert f"M x C = {array[1]} x {array[2]}" in text
    assert "N x D = 7 x 16" in text
    queries = model.decoder.get_layer("film_queries").output.shape
    assert f"O x E = {queries[1]} x {queries[2]}" in text
    assert (
        "3 times" in text and "the first with weights of its own, the others with the same" in text
    )
    assert "run 2 times with the same weights" in text
    assert str(costs) in text
    for part, number in costs.parameters_by_part.items():
        assert re.search(rf"{part.replace('_', ' ')} +{number:,} ", text)
    assert sum(costs.parameters_by_part.values()) == model.count_params()
    assert sum(costs.activation_bytes_by_part.values()) <= costs.activation_bytes


@pytest.mark.parametrize(
    "options, words",
    [
        ({}, "latents attend to inputs once"),
        ({"num_cross_attends": 2}, "2 times, 1 head, each with weights of its own"),
        ({"num_cross_attends": 2, "share_first_cross_attend": True}, "all with the same weights"),
        ({"num_cross_attends": 3, "share_cross_attends": False}, "each with weights of its own"),
        ({"num_cross_attends": 2, "share_latent_transformers": False}, "with weights of its own\n"),
        ({"attention": "separable"}, "positions by axis"),
        ({"attention": "chunked"}, "no keys and values of the inputs\n"),
        ({"head": "mean"}, "mean of latents, classes"),
    ],
)
def test_words_for_what_is_shared_and_how_attention_is_computed(options, words):
    inputs = kp.Image(6, 5, 1, num_bands=2)
    model = kp.build_classifier(
        inputs, 3, num_cross_attention_heads=1, num_self_attends_per_block=1, latent_dim=8,
        num_latents=3, compile=False, **options,
    )  # fmt: skip
    assert words in str(kp.describe(model))


def test_open_sizes_have_no_costs():
    inputs = kp.Image(None, None, 1, max_resolution=(20, 20), num_bands=4)
    found = kp.describe(kp.build_classifier(inputs, 3, compile=False))
    assert found.costs is None and "any" in str(found)
    assert "costs" in str(found).splitlines()[0]


def test_in_a_notebook():
    model = kp.build_classifier({"cloud": kp.Points(5), "row": kp.Table(2)}, 3, compile=False)
    page = kp.describe(model)._repr_html_()
    for row in ("input cloud", "latent Transformer", "encoder cross attention"):
        assert f">{row}</td>" in page
    ElementTree.fromstring(f"<div>{page}</div>")  # well formed, all words escaped
    (drawing,) = re.findall("<svg.*?</svg>", page, re.S)
    words = [text.text for text in ElementTree.fromstring(drawing).iter() if text.text]
    assert "latent array" in words and any(word.startswith("M x C = 7 x ") for word in words)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="`model` must be a keras_perceiver Perceiver"):
        kp.describe(keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)]))
