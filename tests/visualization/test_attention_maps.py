import sys

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.visualization import attention_maps
from tests.random_values import normal, randomize

FOLDER = "keras_perceiver.visualization"
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


def rollout(model, images, output="classes"):
    """The roll-outs of a model of one input, `(batch, queries, inputs)`."""
    (maps,) = attention_maps(model, images)[output].values()
    return maps.reshape(*maps.shape[:2], -1)


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
    maps = attention_maps(model, images)["classes"]["array"]
    assert maps.shape == (2, 1, 3, 7)
    maps = maps.reshape(2, 1, 21)
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
    maps = rollout(classifier(**options), normal(2, 3, 7, 2))
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
    np.testing.assert_allclose(rollout(model, FOUND)[0, 0], np.eye(6)[place], atol=1e-6)


def test_with_several_cross_attends_half_is_kept_from_those_before():
    model = plain_classifier(num_cross_attends=3)
    looks_at(model.encoder.get_layer("encoder_cross_attention"), channel=0)
    looks_at(model.encoder.get_layer("encoder_cross_attention_2"), channel=1)
    wanted = 0.25 * np.eye(6)[4] + 0.75 * np.eye(6)[2]  # the second and third are one layer
    np.testing.assert_allclose(rollout(model, FOUND)[0, 0], wanted, atol=1e-6)
    read = attention_maps(model, FOUND, "encoder")["array"]
    np.testing.assert_allclose(read[0, :, 0], np.eye(6)[[4, 2, 2]], atol=1e-6)
    read = attention_maps(model, FOUND, "encoder", cross_attends=[2, 0], latents=[1])["array"]
    assert read.shape == (1, 2, 1, 6)
    np.testing.assert_allclose(read[0, :, 0], np.eye(6)[[2, 4]], atol=1e-6)


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
    np.testing.assert_allclose(rollout(model, FOUND)[0, 0], wanted, atol=1e-6)


def test_masked_inputs_get_nothing():
    model = kp.build_classifier(kp.Array((7, 2), num_bands=2, masked=True), 3, **SIZES)
    mask = np.arange(7)[None] < np.array([[3], [7], [0]])
    maps = rollout(model, {"array": normal(3, 7, 2), "array_mask": mask})[:, 0]
    np.testing.assert_allclose(maps[0, 3:], 0, atol=1e-12)
    np.testing.assert_allclose(maps[:2].sum(axis=-1), 1, rtol=1e-6)
    assert (maps[1] > 0).all()
    np.testing.assert_array_equal(maps[2], 0)  # no inputs at all


def test_inputs_and_queries_of_several_modalities_by_name():
    inputs = {"b": kp.Array((3, 5, 2), num_bands=2), "a": kp.Array((11, 1), num_bands=2)}
    outputs = {"kind": kp.Classes(3), "copy": kp.Reconstruction("b")}
    model = randomize(kp.build_perceiver_io(inputs, outputs, **SIZES))
    raw = {"b": normal(2, 3, 5, 2), "a": normal(2, 11, 1)}
    maps = attention_maps(model, raw)
    assert set(maps) == {"copy", "kind"}
    assert maps["copy"]["b"].shape == (2, 15, 3, 5) and maps["copy"]["a"].shape == (2, 15, 11)
    assert maps["kind"]["b"].shape == (2, 1, 3, 5) and maps["kind"]["a"].shape == (2, 1, 11)
    shares = {key: of["a"].sum(-1) + of["b"].sum((-1, -2)) for key, of in maps.items()}
    for share in shares.values():
        np.testing.assert_allclose(share, 1, rtol=1e-6)
    some = attention_maps(model, raw, queries={"copy": [7, 2]})
    for name in "ab":
        np.testing.assert_allclose(some["copy"][name], maps["copy"][name][:, [7, 2]], atol=1e-7)
        np.testing.assert_allclose(some["kind"][name], maps["kind"][name], atol=1e-7)
    with pytest.raises(ValueError, match="`queries` must be a dict by output"):
        attention_maps(model, raw, queries=[3])
    with pytest.raises(ValueError, match="`queries` must name outputs among.*'label'"):
        attention_maps(model, raw, queries={"label": [3]})


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
    maps = attention_maps(model, raw)["classes"]["table"]
    assert maps.shape == (2, 1, 7)
    np.testing.assert_allclose(maps.sum(-1), 1, rtol=1e-5)
    np.testing.assert_array_equal(maps[1, 0, 1::2], 0)  # hidden columns
    assert maps[0].min() > 0


# A model in each way of computing attention, and the same model in the plain way.
WAYS = {
    "chunked": ({"attention": "chunked", "num_cross_attention_heads": 2, "qk_channels": 6}, 17),
    "folded": ({"attention": "chunked"}, 17),
    "separable": ({"attention": "separable"}, 17),
    "plain, heads": ({"attention": "plain", "num_cross_attention_heads": 2, "qk_channels": 6}, 17),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_ways_have_the_maps_of_the_plain_way(way):
    options, side = WAYS[way]
    inputs = kp.Image(side, 13, 1, masked=True)
    outputs = kp.Reconstruction("image")
    one_head = {"num_decoder_heads": 1, "num_cross_attention_heads": 1}
    sizes = {**SIZES, "num_cross_attends": 2, **one_head, **options}
    model = randomize(kp.build_perceiver_io({"image": inputs}, outputs, **sizes))
    plain = kp.build_perceiver_io({"image": inputs}, outputs, **{**sizes, "attention": "plain"})
    plain.set_weights(model.get_weights())
    mask = np.ones((2, side * 13), bool)
    mask[1, 20:] = False
    raw = {"image": normal(2, side, 13, 1) + 1000, "image_mask": mask}
    for part in ("rollout", "encoder", "decoder"):
        one, other = (keras.tree.flatten(attention_maps(of, raw, part)) for of in (model, plain))
        np.testing.assert_allclose(one[0], other[0], rtol=1e-3, atol=1e-7)


def test_a_few_rows_at_a_time_are_the_same(monkeypatch):
    model = classifier(num_cross_attention_heads=2, qk_channels=6, num_cross_attends=2)
    images = normal(5, 3, 7, 2)
    parts = ("rollout", "encoder", "latents", "decoder")
    whole = [attention_maps(model, images, part) for part in parts]
    monkeypatch.setattr(sys.modules[f"{FOLDER}.attention_weights"], "MOST_WEIGHTS", 2 * 21 * 2)
    monkeypatch.setattr(sys.modules[f"{FOLDER}.attention_maps"], "MOST_AT_ONCE", 5 * 21 * 2 * 2)
    sizes = []
    of_layer = kp.layers.Attention.weights_to

    def weights_to(self, keys, query, *args, **kwargs):
        sizes.append(query.shape[:2])
        return of_layer(self, keys, query, *args, **kwargs)

    monkeypatch.setattr(kp.layers.Attention, "weights_to", weights_to)
    in_rows = [attention_maps(model, images, part) for part in parts]
    assert {(2, 1), (1, 1)} <= set(sizes)  # two examples, then the fifth; one row
    for one, other in zip(keras.tree.flatten(whole), keras.tree.flatten(in_rows)):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_heads_and_layers():
    model = classifier(num_cross_attention_heads=2, qk_channels=6, num_blocks=2)
    images = normal(2, 3, 7, 2)
    each = attention_maps(model, images, "encoder", heads="all")["array"]
    mean = attention_maps(model, images, "encoder")["array"]
    assert each.shape == (2, 1, 2, 5, 3, 7) and mean.shape == (2, 1, 5, 3, 7)
    np.testing.assert_allclose(each.mean(axis=2), mean, atol=1e-6)
    assert np.abs(each[:, :, 0] - each[:, :, 1]).max() > 1e-4
    among = attention_maps(model, images, "latents", heads="all", latents=[4])
    assert among.shape == (2, 4, 3, 1, 5)
    _, scores = model.encoder.get_layer("latent_transformer")(
        model.encoder.get_layer("encoder_cross_attention")(
            model.encoder.get_layer("latents")(images),
            model.encoder.get_layer("array_inputs")(images),
        ),
        return_attention_scores=True,
    )
    for layer, one in enumerate(scores):
        np.testing.assert_allclose(among[:, layer, :, 0], numpy(one)[:, :, 4], atol=1e-6)


def test_open_sizes_have_the_shape_of_the_inputs():
    inputs = kp.Image(None, None, 1, max_resolution=(20, 20), num_bands=4)
    model = randomize(kp.build_perceiver_io({"image": inputs}, kp.Classes(3), **SIZES))
    for shape in ((5, 11), (19, 1)):
        maps = attention_maps(model, {"image": normal(2, *shape, 1)})["classes"]["image"]
        assert maps.shape == (2, 1, *shape)
    patches = kp.Image(None, None, 1, stem="patches", patch_size=4, max_resolution=(5, 5))
    model = randomize(kp.build_perceiver_io({"image": patches}, kp.Classes(3), **SIZES))
    maps = attention_maps(model, {"image": normal(2, 8, 20, 1)})["classes"]["image"]
    assert maps.shape == (2, 1, 2, 5)


def test_queries_of_an_input_and_of_points():
    text = kp.Text(11, 20, 8)
    model = randomize(kp.build_perceiver_io({"text": text}, kp.Tokens("text"), **SIZES))
    ids = np.random.default_rng(0).integers(1, 20, (2, 11)).astype("int32")
    ids[1, 6:] = 0
    maps = attention_maps(model, {"text": ids}, queries=[10, 3])["tokens"]["text"]
    assert maps.shape == (2, 2, 11)
    whole = attention_maps(model, {"text": ids})["tokens"]["text"]
    np.testing.assert_allclose(maps, whole[:, [10, 3]], atol=1e-7)
    np.testing.assert_array_equal(whole[1, :, 6:], 0)  # padding is not read


@pytest.mark.parametrize(
    "options, message",
    [
        ({"part": "maps"}, "`part` must be one of.*'maps'"),
        ({"heads": "first"}, "`heads` must be one of.*'first'"),
        ({"heads": "all"}, "`heads` must be 'mean' for part='rollout'"),
        ({"latents": [0]}, "`latents` must be None for part='rollout'"),
        ({"part": "encoder", "queries": [0]}, "`queries` must be None for part='encoder'"),
        ({"part": "encoder", "latents": [5]}, r"`latents` must lie in \[0, 5\)"),
        ({"part": "encoder", "latents": [0.5]}, "`latents` must be a list of whole numbers"),
        ({"part": "encoder", "cross_attends": []}, "`cross_attends` must be a list of whole"),
        ({"queries": [1]}, r"`queries` must lie in \[0, 1\)"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        attention_maps(classifier(), normal(2, 3, 7, 2), **options)


def test_too_many_numbers_are_refused_before_they_are_computed(monkeypatch):
    monkeypatch.setattr(sys.modules[f"{FOLDER}.attention_maps"], "MOST_NUMBERS", 20)
    for part in ("rollout", "encoder"):
        with pytest.raises(ValueError, match="over .* numbers. Choose fewer by"):
            attention_maps(classifier(), normal(2, 3, 7, 2), part)
