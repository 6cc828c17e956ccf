"""However the encoder's attention is computed, a model gives the same answers."""

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


def raw_inputs(model):
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
            raw[tensor.name] = rng.normal(size=shape).astype("float32")
    return raw


@pytest.mark.parametrize("way", ["separable", "chunked"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_answers(case, way):
    inputs, outputs, options = CASES[case]
    plain = randomize(kp.Perceiver(inputs, outputs, attention="plain", **SMALL, **options))
    other = kp.Perceiver(inputs, outputs, attention=way, **SMALL, **options)
    paths = [[weight.path for weight in model.weights] for model in (plain, other)]
    assert sorted(paths[0]) == sorted(paths[1])
    values = {weight.path: weight.value for weight in plain.weights}
    for weight in other.weights:
        weight.assign(values[weight.path])
    raw = raw_inputs(plain)
    np.testing.assert_allclose(to_numpy(other(raw)), to_numpy(plain(raw)), atol=1e-5)
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
        ((32, 32, 3), {"num_cross_attention_heads": 5, "qk_channels": 10}, "plain"),
        (kp.Array((2**16, 3), positions="learned"), {"num_latents": 512}, "chunked"),
        (kp.Array((64, 64, 3), positions="learned"), {}, "plain"),
    ],
)
def test_auto(inputs, options, way):
    from keras_perceiver.models.attention_choice import choose_attention
    from keras_perceiver.models.descriptions import as_inputs

    readers = as_inputs(inputs, keras.dtype_policies.get("float32"))
    found = choose_attention(
        "auto",
        readers,
        None,
        options.get("num_latents", 5),
        options.get("num_cross_attention_heads", 1),
        options.get("attention_dropout", 0.0),
    )
    assert found == way


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
