"""However the encoder's attention is computed, a model gives the same answers."""

import functools

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, randomize, to_numpy

SMALL = {"num_latents": 5, "latent_dim": 12, "num_self_attends_per_block": 1}
SMALL["num_self_attention_heads"] = 2

CASES = {
    "segmentation": ((4, 6, 3), kp.Grid((3, 5), num_classes=2), {}),
    "flow": (kp.FramePair(4, 6, stem_channels=5), kp.Flow(), {}),
    "flow_upsampled": (
        kp.FramePair(9, 6, stem="conv", stem_channels=5),
        kp.Flow(hidden_channels=7),
        {},
    ),
    "reconstruction": (kp.Image(4, 6), kp.Reconstruction("image"), {"use_query_residual": True}),
    "sampled": ((4, 6, 3), kp.Grid((3, 5), channels=2, num_decoded=4), {}),
    "image": ((4, 6, 3), kp.Classes(7), {"num_cross_attends": 2}),
    "image_with_a_stem": (kp.Image(8, 4, stem="conv1x1", stem_channels=5), kp.Values(2), {}),
    "masked_series": (kp.Array((11, 3), masked=True), kp.Values(2), {}),
    "several": (
        {
            "audio": kp.Audio(28, 4),
            "label": kp.Labels(9),
            "video": kp.Video(2, 4, 8, may_be_missing=True),
        },
        kp.Classes(3),
        {"mask_probs": {"label": 1.0}, "min_input_padding": 4},
    ),
    "several_masked": (
        {"audio": kp.Audio(28, 4), "text": kp.Text(6, vocab_size=8, dim=10)},
        kp.Classes(3),
        {},
    ),
}


# With one head, "chunked" is folded; these are read a few inputs or queries at a time.
HEADS = {
    "heads": ((4, 6, 3), kp.Values(2), {"num_cross_attention_heads": 2, "qk_channels": 8}),
    "heads_masked": (
        kp.Array((11, 3), masked=True),
        kp.Values(2),
        {"num_cross_attention_heads": 2, "qk_channels": 8},
    ),
    "decoder_heads": (
        (4, 6, 3),
        kp.Grid((3, 5), num_classes=2),
        {"num_decoder_heads": 2, "attention_dropout": 0.1},
    ),
}
WAYS = [(name, way) for way in ("separable", "chunked") for name in CASES]
WAYS += [(name, "chunked") for name in HEADS]


def raw_inputs(model, mean=0.0):
    rng = np.random.default_rng(0)
    raw = {}
    for tensor in model.inputs:
        shape = (2, *tensor.shape[1:])
        kind = keras.backend.standardize_dtype(tensor.dtype)
        if kind == "bool":
            raw[tensor.name] = rng.random(shape) < 0.6
        elif kind.startswith("int"):
            raw[tensor.name] = rng.integers(0, 8, shape)
        else:
            raw[tensor.name] = (mean + rng.normal(size=shape)).astype("float32")
    return raw


def model_of(case, way):
    inputs, outputs, options = {**CASES, **HEADS}[case]
    return kp.Perceiver(inputs, outputs, attention=way, **SMALL, **options)


@functools.cache
def plain_model(case):
    """No test changes it."""
    return randomize(model_of(case, "plain"))


LATER = [(name, "chunked") for name in ("sampled", "image", "image_with_a_stem", "flow", "several")]


@pytest.mark.parametrize(
    "case, way", [pytest.param(*way, marks=[pytest.mark.slow] * (way in LATER)) for way in WAYS]
)
def test_the_same_answers(case, way):
    """For features around zero, and around 1013, where float32 has few places left."""
    plain, other = plain_model(case), model_of(case, way)
    paths = [[weight.path for weight in model.weights] for model in (plain, other)]
    assert sorted(paths[0]) == sorted(paths[1])
    values = {weight.path: weight.value for weight in plain.weights}
    for weight in other.weights:
        weight.assign(values[weight.path])
    raw = raw_inputs(plain, mean=1013.0)
    wanted = to_numpy(plain(raw))
    np.testing.assert_allclose(to_numpy(other(raw)), wanted, atol=1e-4 * np.abs(wanted).max())
    raw = raw_inputs(plain)
    np.testing.assert_allclose(to_numpy(other(raw)), to_numpy(plain(raw)), atol=1e-5)


KEPT = [("several", "separable"), ("decoder_heads", "chunked")]


@pytest.mark.parametrize(
    "case, way", [pytest.param(*way, marks=[pytest.mark.slow] * (way not in KEPT)) for way in WAYS]
)
def test_a_copy_from_the_config_computes_alike(case, way):
    other = randomize(model_of(case, way))
    raw = raw_inputs(other)
    copy = kp.Perceiver.from_config(other.get_config())
    copy.set_weights(other.get_weights())
    np.testing.assert_array_equal(to_numpy(copy(raw)), to_numpy(other(raw)))


@pytest.mark.parametrize(
    "inputs, options, way",
    [
        ((32, 32, 3), {}, "separable"),
        ((31, 31, 3), {}, "plain"),
        (kp.Image(None, None, max_resolution=(32, 32)), {}, "separable"),
        ((32, 32, 3), {"attention_dropout": 0.1}, "plain"),
        ((32, 32, 3), {"num_cross_attention_heads": 2, "qk_channels": 8}, "plain"),
        (kp.Array((2**16, 3), positions="learned"), {"num_latents": 512}, "folded"),
        (kp.Array((2**18, 3), positions="learned"), {"num_latents": 512}, "chunked"),
        (kp.Array((None, 3), positions="none"), {}, "chunked"),
        ((2**14, 3), {}, "separable"),
        ((2**14 + 1, 3), {"num_latents": 1024}, "folded"),
        ((32, 32, 3), {"attention": "plain"}, "plain"),
        ((4, 6, 3), {"attention": "chunked"}, "folded"),
        ((4, 6, 3), {"attention": "chunked", "attention_dropout": 0.1}, "chunked"),
        ((4, 6, 3), {"attention": "separable"}, "separable"),
        ((2**14 + 1, 3), {"attention": "separable"}, "separable"),
        (kp.Array((64, 64, 3), positions="learned"), {}, "plain"),
    ],
)
def test_auto(inputs, options, way):
    from keras_perceiver.layers.ways import encoder_way
    from keras_perceiver.models.descriptions import as_inputs
    from keras_perceiver.models.sizes import Sizes

    sizes = Sizes(**{"num_latents": 5, **options})
    assert encoder_way(as_inputs(inputs), sizes) == way


@pytest.mark.parametrize(
    "inputs, options",
    [
        (kp.Array((6, 3), positions="learned"), {}),
        ((4, 6, 3), {"attention_dropout": 0.1}),
        ((4, 6, 1), {"num_cross_attention_heads": 2, "qk_channels": 8}),
    ],
)
def test_separable_where_it_cannot_be(inputs, options):
    with pytest.raises(ValueError, match="`attention` can be 'separable' only with one head"):
        kp.Perceiver(inputs, kp.Values(1), attention="separable", **SMALL, **options)


def test_another_size_of_image_than_the_last():
    image = kp.Image(None, None, max_resolution=(6, 4))
    models = [
        kp.Perceiver(image, kp.Values(2), attention=way, **SMALL) for way in ("plain", "separable")
    ]
    randomize(models[0])
    models[1].set_weights(models[0].get_weights())
    for height, width in ((6, 4), (3, 7)):
        raw = normal(2, height, width, 3)
        found = [model.predict(raw, verbose=0) for model in models]
        np.testing.assert_allclose(found[1], found[0], atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "options, wanted",
    [({}, "auto"), ({"attention": "separable"}, False), ({"dtype": "mixed_bfloat16"}, False)],
)
def test_xla_on_a_cpu_only_where_it_gains(options, wanted):
    from keras_perceiver.layers.steps import on_cpu

    assert on_cpu()
    model = kp.build_classifier((4, 6, 3), 2, **SMALL, **options)
    automatic = kp.build_classifier((4, 6, 3), 2, **SMALL, **options, jit_compile=True)
    assert automatic.jit_compile is True
    plain = kp.build_classifier((4, 6, 3), 2, **SMALL).jit_compile
    assert model.jit_compile == (plain if wanted == "auto" else False)


@pytest.mark.parametrize(
    "num_cross_attends, share_first, times", [(1, False, 1), (4, False, 2), (4, True, 1)]
)
def test_shared_cross_attends_make_keys_and_values_once(
    num_cross_attends, share_first, times, monkeypatch
):
    from keras_perceiver.layers import Attention

    options = {"num_cross_attends": num_cross_attends, "share_first_cross_attend": share_first}
    inputs = kp.Array((11, 3), positions="learned", masked=True)
    model = randomize(kp.Perceiver(inputs, kp.Values(2), **SMALL, **options))
    raw = {"array": normal(2, 11, 3), "array_mask": normal(2, 11) > 0}
    made = []
    original = Attention.keys_values

    def counted(self, value):
        made.append(value.shape)
        return original(self, value)

    monkeypatch.setattr(Attention, "keys_values", counted)
    model(raw)
    assert sum(shape[1] == 11 for shape in made) == times
