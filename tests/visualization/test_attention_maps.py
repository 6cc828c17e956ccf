import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.visualization import attention_maps
from tests.random_values import normal, randomize

SIZES = {
    "num_latents": 5,
    "latent_dim": 12,
    "num_self_attends_per_block": 2,
    "num_self_attention_heads": 3,
    "compile": False,
}


def classifier(**options):
    inputs = kp.Array((3, 7, 2), num_bands=2)
    return randomize(kp.build_classifier(inputs, 11, **{**SIZES, **options}))


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def mean_over_heads(scores):
    return numpy(scores).mean(axis=1)


@pytest.mark.parametrize("head", ["query", "mean"])
def test_maps_are_the_product_of_the_three_attentions(head):
    model = classifier(head=head, num_blocks=2, num_decoder_heads=2)
    images = normal(2, 3, 7, 2)
    encoder, decoder = model.encoder.get_layer, model.decoder.get_layer
    array = encoder("array_inputs")(images)
    latents, scores = encoder("encoder_cross_attention")(
        encoder("latents")(array), array, return_attention_scores=True
    )
    wanted = mean_over_heads(scores)
    latents, scores = encoder("latent_transformer")(latents, return_attention_scores=True)
    assert len(scores) == 4
    for layer_scores in scores:
        wanted = (mean_over_heads(layer_scores) + np.eye(5)) / 2 @ wanted
    if head == "mean":
        wanted = wanted.mean(axis=1, keepdims=True)
    else:
        queries = decoder("classes_query")(latents)
        _, scores = decoder("output_query_decoder")(queries, latents, return_attention_scores=True)
        wanted = mean_over_heads(scores) @ wanted
    maps = attention_maps(model, images)
    assert maps.shape == (2, 1, 21)
    np.testing.assert_allclose(maps, wanted, rtol=1e-5)
    assert np.abs(maps[0] - maps[1]).max() > 1e-3  # each image has a map of its own


@pytest.mark.parametrize(
    "options",
    [
        {"num_cross_attends": 3},
        {"num_cross_attends": 2, "share_first_cross_attend": True, "head": "mean"},
        {"num_cross_attends": 2, "share_cross_attends": False, "share_latent_transformers": False},
        {"dtype": "mixed_float16"},
        {"num_cross_attention_heads": 2, "qk_channels": 6, "v_channels": 12},
    ],
)
def test_each_map_has_sum_one(options):
    maps = attention_maps(classifier(**options), normal(2, 3, 7, 2))
    assert maps.shape == (2, 1, 21) and maps.dtype == "float32"
    assert (maps >= 0).all()
    np.testing.assert_allclose(maps.sum(axis=-1), 1, rtol=1e-6)


def test_the_model_is_left_as_it_was():
    model = classifier()
    images = normal(2, 3, 7, 2)
    before, config = numpy(model(images)), model.get_config()
    counts = [len(layer._inbound_nodes) for layer in model.encoder.layers]
    attention_maps(model, images)
    np.testing.assert_array_equal(numpy(model(images)), before)
    assert model.get_config() == config
    assert [len(layer._inbound_nodes) for layer in model.encoder.layers] == counts


def looks_at(cross_attention, channel):
    """Sets weights so that every query attends to the input that is largest in this channel."""
    for weight in cross_attention.attention.weights:
        weight.assign(np.zeros(weight.shape))
    cross_attention.attention.query_layer.bias.assign([100.0, 0, 0, 0])
    kernel = np.zeros((4, 4))
    kernel[channel, 0] = 1
    cross_attention.attention.key_layer.kernel.assign(kernel)


# Six inputs of four channels; the largest of channel 0 is number 4, of channel 1 number 2.
FOUND = np.full((1, 6, 4), 0.1, "float32")
FOUND[0, 4, 0] = FOUND[0, 2, 1] = 5


def plain_classifier(**options):
    inputs = kp.Array((6, 4), positions="none")
    sizes = {"num_latents": 2, "latent_dim": 4, "num_self_attends_per_block": 1}
    heads = {"num_self_attention_heads": 1, "initialization": "papers"}
    return kp.build_classifier(inputs, 3, compile=False, **heads, **sizes, **options)


@pytest.mark.parametrize("channel, place", [(0, 4), (1, 2)])
def test_a_model_that_looks_for_a_channel_is_found_out(channel, place):
    model = plain_classifier()
    looks_at(model.encoder.get_layer("encoder_cross_attention"), channel)
    np.testing.assert_allclose(attention_maps(model, FOUND)[0, 0], np.eye(6)[place], atol=1e-6)


def test_with_several_cross_attends_the_last_one_counts():
    model = plain_classifier(num_cross_attends=3)
    looks_at(model.encoder.get_layer("encoder_cross_attention"), channel=0)
    looks_at(model.encoder.get_layer("encoder_cross_attention_2"), channel=1)
    np.testing.assert_allclose(attention_maps(model, FOUND)[0, 0], np.eye(6)[2], atol=1e-6)


def test_the_way_through_the_latents_by_hand():
    # The first latent looks at input 4, the second at input 2, and neither changes by what it
    # reads. They then attend to each other alike. The output query looks at the first.
    model = plain_classifier()
    for layer in (*model.encoder.layers, *model.decoder.layers):
        for weight in layer.weights:
            if weight.name in ("kernel", "bias"):
                weight.assign(np.zeros(weight.shape))
    model.encoder.get_layer("latents").table.assign([[1, -1, 0, 0], [-1, 1, 0, 0]])
    looking = np.diag([10.0, 10.0, 0, 0])
    attention = model.encoder.get_layer("encoder_cross_attention").attention
    attention.query_layer.kernel.assign(looking)
    attention.key_layer.kernel.assign(looking)
    attention = model.decoder.get_layer("output_query_decoder").cross_attention.attention
    attention.query_layer.bias.assign([100.0, 0, 0, 0])
    attention.key_layer.kernel.assign(looking)
    wanted = 0.75 * np.eye(6)[4] + 0.25 * np.eye(6)[2]
    np.testing.assert_allclose(attention_maps(model, FOUND)[0, 0], wanted, atol=1e-6)


def test_masked_inputs_get_nothing():
    model = kp.build_classifier(kp.Array((7, 2), num_bands=2, masked=True), 3, **SIZES)
    mask = np.arange(7)[None] < np.array([[3], [7], [0]])
    maps = attention_maps(model, {"array": normal(3, 7, 2), "array_mask": mask})[:, 0]
    np.testing.assert_allclose(maps[0, 3:], 0, atol=1e-12)
    np.testing.assert_allclose(maps[:2].sum(axis=-1), 1, rtol=1e-6)
    assert (maps[1] > 0).all()
    np.testing.assert_array_equal(maps[2], 0)  # no inputs at all


def test_inputs_and_queries_of_several_modalities_follow_each_other():
    inputs = {"b": kp.Array((3, 5, 2), num_bands=2), "a": kp.Array((11, 1), num_bands=2)}
    outputs = {"copy": kp.Reconstruction("b"), "kind": kp.Classes(3)}
    model = randomize(kp.build_perceiver_io(inputs, outputs, **SIZES))
    maps = attention_maps(model, {"b": normal(2, 3, 5, 2), "a": normal(2, 11, 1)})
    assert maps.shape == (2, 15 + 1, 11 + 15)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    "model", [None, keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])]
)
def test_other_models_are_refused(model):
    with pytest.raises(ValueError, match="`model` must be a keras_perceiver Perceiver"):
        attention_maps(model, normal(2, 3))


def test_inputs_that_do_not_fit_are_refused():
    model = classifier()
    with pytest.raises(ValueError, match=r"must have shape \(batch, 3, 7, 2\).*\(2, 7, 3, 2\)"):
        attention_maps(model, normal(2, 7, 3, 2))
    with pytest.raises(ValueError, match=r"entries \['array'\].*'picture'"):
        attention_maps(model, {"picture": normal(2, 3, 7, 2)})


def test_maps_of_a_table_are_over_its_columns():
    table = kp.Table(5, (3, 2), dim=6, masked=True)
    model = randomize(kp.build_classifier(table, 11, **SIZES))
    raw = {
        "table": np.array([[1, np.nan, 3, 4, 5], [2, 3, 5, 7, np.nan]], "float32"),
        "table_categories": np.array([[2, -1], [0, 1]], "int32"),
        "table_mask": np.array([[True] * 7, [True, False] * 3 + [True]]),
    }
    maps = attention_maps(model, raw)
    assert maps.shape == (2, 1, 7)
    np.testing.assert_allclose(maps.sum(-1), 1, rtol=1e-5)
    np.testing.assert_array_equal(maps[1, 0, 1::2], 0)  # hidden columns
    assert maps[0].min() > 0
