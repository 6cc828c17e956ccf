"""Every preset builds and is what it says; overrides reach the builder and its inputs."""

from pathlib import Path

import keras
import pytest
from keras import ops

import keras_perceiver as kp

UNSHARED = {"share_cross_attends": False, "share_latent_transformers": False}
CONV = ("imagenet_conv", "imagenet_conv_large", "optical_flow_conv")
STATISTICS = {f"perceiver_io_{name}": 128 for name in CONV}  # of the batch normalisation
PUBLISHED = {  # name: (parameters, GFLOP), counted by hand from the papers and published code
    "perceiver_imagenet": (44_912_254, 707.2),
    "perceiver_io_imagenet_fourier": (48_440_627, 406.12),
    "perceiver_io_imagenet_learned": (62_255_848, 478.04),
    "perceiver_io_imagenet_conv": (48_646_522, 369.36),
    "perceiver_io_imagenet_fourier_large": (212.2e6, 268.7),
    "perceiver_io_imagenet_conv_large": (212.4e6, 231.9),
    "perceiver_io_language_bytes": (201_108_230, 120.95),
    "perceiver_io_language_sentencepiece": (223_155_456, 133.6),
    "perceiver_io_language_plus_plus": (425_607_430, 240.87),
    "perceiver_io_optical_flow": (41_057_134, 1886.7),
    "perceiver_io_multimodal_autoencoder": (19_858_855, 7470),
    "perceiver_audioset": (20_971_636 + 234, 52.3),  # and the two paddings
    "perceiver_io_audioset": (24_922_228 + 234, 52.9),
}


@pytest.fixture(autouse=True)
def zero_weights(monkeypatch):
    """Drawing hundreds of millions of random numbers takes most of the time of these tests."""
    for initializer in (keras.initializers.VarianceScaling, keras.initializers.TruncatedNormal):
        monkeypatch.setattr(
            initializer, "__call__", lambda self, shape, dtype=None: ops.zeros(shape, dtype)
        )


LARGE = [name for name in kp.presets.list() if kp.presets.get(name).parameters > 202e6]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in LARGE)) for n in kp.presets.list()],
)
def test_it_builds_and_is_what_it_says(name):
    preset = kp.presets.get(name)
    assert preset.name == name
    assert preset.arguments["initialization"] == "papers"
    assert "arXiv 2103.03206" in preset.source or "arXiv 2107.14795" in preset.source
    model = preset.build()
    assert model.compiled and not model.chosen  # nothing is left to a choice
    assert model.count_params() == preset.parameters + STATISTICS.get(name, 0)
    costs = kp.costs(model)
    assert costs.parameters == model.count_params()
    assert costs.flops / 1e9 == pytest.approx(preset.gflops, rel=1e-3)
    if name in PUBLISHED:
        parameters, gflops = PUBLISHED[name]
        assert preset.parameters == pytest.approx(parameters, rel=0 if parameters % 1000 else 1e-3)
        assert preset.gflops == pytest.approx(gflops, rel=5e-3 if "audioset" in name else 1.5e-3)


def test_all_of_them_are_listed():
    for names in ("imagenet_fourier imagenet_learned imagenet_conv", "optical_flow"):
        assert {f"perceiver_io_{name}" for name in names.split()} <= set(kp.presets.list())
    published = [kp.presets.get(name) for name in kp.presets.list()]
    published = [preset for preset in published if preset.huggingface]
    assert len(published) == 6 and all(preset.deepmind for preset in published)
    with pytest.raises(ValueError, match="Did you mean 'perceiver_io_optical_flow'"):
        kp.presets.get("perceiver_io_optical_flo")


@pytest.mark.parametrize(
    "name, changes, expected",
    [
        ("perceiver_imagenet", {"num_cross_attends": 1}, 42_135_859),
        ("perceiver_imagenet", UNSHARED, 326_241_856),
        ("perceiver_io_imagenet_learned", {"qk_channels": 512}, 49_663_720),
        (
            "perceiver_io_optical_flow",
            {"num_self_attends_per_block": 16, "num_latents": 1024},
            27_908_974,
        ),
    ],
    ids=["one_cross_attend", "nothing_shared", "learned_narrow", "flow_of_the_text"],
)
def test_variants(name, changes, expected):
    assert kp.presets.get(name).build(compile=False, **changes).count_params() == expected


@pytest.mark.parametrize(
    "name, num_inputs, input_dim",
    [("fourier", 50_176, 261), ("learned", 50_176, 512), ("conv", 3_136, 322)],
)
def test_inputs_of_the_imagenet_models(name, num_inputs, input_dim):
    reader = kp.presets.get(f"perceiver_io_imagenet_{name}").arguments["inputs"]
    assert (reader.num_inputs, reader.input_dim) == (num_inputs, input_dim)


def test_inputs_and_queries_of_the_multimodal_model():
    preset = kp.presets.get("perceiver_io_multimodal_autoencoder")
    model = preset.build(attention="plain", compile=False)
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


def test_inputs_of_the_audioset_model():
    model = kp.presets.get("perceiver_audioset").build(attention="plain", compile=False)
    inputs = model.get_layer("encoder").get_layer("inputs")
    assert inputs.output.shape == (None, 12_544 + 480, 487)
    assert inputs.paddings["video"].shape[-1] == 4


def test_overrides_reach_the_inputs():
    preset = kp.presets.get("perceiver_io_imagenet_fourier")
    changed = preset.changed(height=72, width=52, num_classes=3, num_latents=5)
    assert changed["inputs"].shape == (72, 52, 3)
    assert changed["inputs"].get_config()["max_resolution"] == (224, 224)
    assert (changed["num_classes"], changed["num_latents"]) == (3, 5)
    assert "height" not in changed
    assert preset.arguments["inputs"].shape == (224, 224, 3)  # the preset is as it was
    clip = kp.presets.get("perceiver_io_multimodal_autoencoder").changed(frames=4, num_samples=320)
    assert clip["inputs"]["video"].shape == (4, 224, 224, 3)
    assert clip["inputs"]["audio"].shape == (320, 1)
    assert clip["inputs"]["label"].num_classes == 700


def test_overrides_apply_to_inputs_that_are_given_too():
    preset = kp.presets.get("perceiver_io_imagenet_fourier")
    changed = preset.changed(inputs=kp.Image(9, 11, 1), width=5)
    assert changed["inputs"].shape == (9, 5, 1)


def test_an_unknown_override_is_named():
    with pytest.raises(TypeError, match="Did you mean `num_latents`"):
        kp.presets.get("perceiver_io_imagenet_fourier").build(num_latent=5)
    with pytest.raises(TypeError, match="Did you mean `height`"):
        kp.presets.get("perceiver_io_imagenet_fourier").build(heigth=5)
    with pytest.raises(ValueError, match="`height` must be a whole number"):
        kp.presets.get("perceiver_io_imagenet_fourier").build(height=0)


def test_the_readme_lists_the_published_ones():
    text = (Path(__file__).parents[2] / "docs" / "published_weights.md").read_text()
    for preset in map(kp.presets.get, kp.presets.list()):
        row = f"| `{preset.name}` | {preset.parameters:,} | `hf://{preset.huggingface}` |"
        assert (row in text) == (preset.huggingface is not None)


def test_a_preset_says_what_it_is():
    text = str(kp.presets.get("perceiver_io_language_bytes"))
    assert text.startswith("perceiver_io_language_bytes: 201,108,230 parameters, 121 GFLOP")
    assert "table 1" in text and "hf://deepmind/language-perceiver" in text
