import itertools
import json

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.layers import CrossAttention, LatentTransformer
from tests.random_values import normal, randomize, to_numpy

SMALL = {
    "num_latents": 5,
    "latent_dim": 6,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
}
IMAGES = normal(2, 3, 5, 2)


def perceiver(**changes):
    outputs = kp.Classes(7, head=changes.pop("head", "query"))
    return randomize(kp.Perceiver((3, 5, 2), outputs, **{**SMALL, **changes}))


def names(model, kind):
    return sorted(layer.name for layer in model.layers if isinstance(layer, kind))


def test_encoder_and_decoder_are_models_in_the_model():
    model = perceiver()
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    assert isinstance(encoder, keras.Model) and isinstance(decoder, keras.Model)
    for name in ("latents", "encoder_cross_attention", "latent_transformer"):
        assert encoder.get_layer(name).weights
    assert decoder.get_layer("output_query_decoder").weights
    weights = {id(weight) for part in (encoder, decoder) for weight in part.weights}
    assert weights == {id(weight) for weight in model.weights}


@pytest.mark.parametrize("head", ["query", "mean"])
def test_encode_then_decode_is_the_model(head):
    model = perceiver(head=head)
    latents = model.get_layer("encoder")(IMAGES)
    assert latents.shape == (2, 5, 6)
    decoded, whole = to_numpy([model.get_layer("decoder")(latents), model(IMAGES)])
    assert whole.shape == (2, 7)
    np.testing.assert_allclose(decoded, whole, atol=1e-6)


def test_a_mean_head_has_no_queries():
    decoder = perceiver(head="mean").get_layer("decoder")
    # The average of the latents, then one dense layer of a kernel and a bias.
    assert [tuple(weight.shape) for weight in decoder.weights] == [(6, 7), (7,)]
    latents = normal(2, 5, 6)
    kernel, bias = (to_numpy(weight) for weight in decoder.weights)
    np.testing.assert_allclose(
        to_numpy(decoder(latents)), latents.mean(1) @ kernel + bias, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(
    "cross_attends, first, transformers", itertools.product([True, False], repeat=3)
)
def test_what_shares_weights(cross_attends, first, transformers):
    encoder = perceiver(
        num_cross_attends=3,
        share_cross_attends=cross_attends,
        share_first_cross_attend=first,
        share_latent_transformers=transformers,
    ).get_layer("encoder")
    distinct = {(True, True): 1, (True, False): 2}.get((cross_attends, first), 3)
    own = ["encoder_cross_attention", "encoder_cross_attention_2", "encoder_cross_attention_3"]
    assert names(encoder, CrossAttention) == own[:distinct]
    own = ["latent_transformer", "latent_transformer_2", "latent_transformer_3"]
    assert names(encoder, LatentTransformer) == own[: 1 if transformers else 3]


@pytest.mark.parametrize("first, order", [(False, (1, 2, 2)), (True, (1, 1, 1))])
def test_each_cross_attend_is_followed_by_the_latent_transformer(first, order):
    encoder = perceiver(num_cross_attends=3, share_first_cross_attend=first).get_layer("encoder")
    array = encoder.get_layer("array_inputs")(IMAGES)
    latents = encoder.get_layer("latents")(array)
    for index in order:
        suffix = "" if index == 1 else f"_{index}"
        latents = encoder.get_layer(f"encoder_cross_attention{suffix}")(latents, array)
        latents = encoder.get_layer("latent_transformer")(latents)
    found, expected = to_numpy([encoder(IMAGES), latents])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_number_of_cross_attends_and_blocks_adds_no_weights():
    more = perceiver(num_cross_attends=2, share_first_cross_attend=True, num_blocks=3)
    assert more.count_params() == perceiver().count_params()


def test_cross_attention_reads_the_array_made_of_the_inputs():
    encoder = perceiver().get_layer("encoder")
    array = encoder.get_layer("array_inputs")(IMAGES)
    # Two channels, then positions and 2 x 4 frequencies of two axes.
    assert array.shape == (2, 3 * 5, 2 + 2 * (1 + 2 * 4))
    np.testing.assert_array_equal(to_numpy(array)[..., :2], IMAGES.reshape(2, 15, 2))


def test_widths_and_heads_reach_their_layers():
    model = perceiver(
        num_cross_attention_heads=3,
        num_self_attention_heads=2,
        num_decoder_heads=5,
        qk_channels=12,
        v_channels=18,
        decoder_qk_channels=10,
        decoder_v_channels=20,
        cross_attention_widening_factor=2,
        self_attention_widening_factor=3,
        decoder_output_dim=11,
    )
    shapes = {weight.path: tuple(weight.shape) for weight in model.weights}
    cross, self_attend = "encoder_cross_attention", "latent_transformer/self_attention_0"
    decoder = "output_query_decoder"
    assert shapes[f"{cross}/attention/key/kernel"] == (20, 12)
    assert shapes[f"{cross}/attention/value/kernel"] == (20, 18)
    assert shapes[f"{cross}/feed_forward/hidden/kernel"] == (6, 12)
    assert shapes[f"{self_attend}/attention/query/kernel"] == (6, 12)
    assert shapes[f"{self_attend}/attention/output/kernel"] == (18, 6)
    assert shapes[f"{self_attend}/feed_forward/hidden/kernel"] == (6, 18)
    assert shapes[f"{decoder}/cross_attention/attention/key/kernel"] == (6, 10)
    assert shapes[f"{decoder}/cross_attention/attention/output/kernel"] == (20, 6)
    assert shapes[f"{decoder}/output/kernel"] == (6, 11)
    assert model(IMAGES).shape == (2, 7)
    encoder = model.get_layer("encoder")
    assert encoder.get_layer(cross).num_heads == 3
    assert encoder.get_layer("latent_transformer").self_attends[0].num_heads == 2
    assert model.get_layer("decoder").get_layer(decoder).cross_attention.num_heads == 5


@pytest.mark.parametrize(
    "copy_of",
    [keras.models.clone_model, lambda model: kp.Perceiver.from_config(model.get_config())],
    ids=["clone_model", "from_config"],
)
def test_copies(copy_of):
    """Weights of their own, in the same number, order and shapes."""
    model = perceiver(num_cross_attends=2, dropout=0.1, activation="relu")
    copy = copy_of(model)
    original = to_numpy(model(IMAGES))
    assert np.abs(to_numpy(copy(IMAGES)) - original).max() > 1e-3  # weights of its own
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(to_numpy(copy(IMAGES)), original, atol=1e-6)


def test_a_clone_keeps_ties():
    model = kp.build_perceiver_io(
        {"text": kp.Text(5, dim=8), "x": kp.Array((3, 2), masked=True)},
        {"text": kp.Tokens(tied_to="text"), "x": kp.PerInput("x", channels=1)},
        num_cross_attends=3,
        **SMALL,
    )
    copy = keras.models.clone_model(model)
    assert isinstance(copy, kp.Perceiver)
    paths = [[(w.path, w.shape) for w in one.weights] for one in (model, copy)]
    assert paths[0] == paths[1]
    copy.set_weights(model.get_weights())
    raw = {"text": np.ones((2, 5), "int32"), "x": normal(2, 3, 2), "x_mask": np.ones((2, 3), bool)}
    for name, found in to_numpy(copy(raw)).items():
        np.testing.assert_allclose(found, to_numpy(model(raw))[name], atol=1e-6)


def test_a_clone_is_trainable_and_compiled_as_its_model():
    model = perceiver()
    model.trainable = False
    model.compile("sgd", "mse")
    copy = keras.models.clone_model(model)
    assert not copy.trainable and copy.compiled and copy.loss == "mse"


def test_cloning_refuses_to_change_layers():
    def renamed(layer):
        return type(layer).from_config({**layer.get_config(), "name": layer.name + "_new"})

    with pytest.raises(ValueError, match="clone_model.. of a Perceiver takes no `clone_function`"):
        keras.models.clone_model(perceiver(), clone_function=renamed)
    with pytest.raises(ValueError, match="takes no `call_function`"):
        keras.models.clone_model(perceiver(), call_function=lambda layer, *args, **kwargs: args[0])


def test_a_copy_from_the_config_is_a_perceiver_with_that_config():
    model = perceiver(num_cross_attends=2, dropout=0.1, activation="relu")
    model.trainable = False
    copy = kp.Perceiver.from_config(model.get_config())
    assert isinstance(copy, kp.Perceiver) and not copy.trainable
    as_json = [json.dumps(one.get_config(), sort_keys=True) for one in (model, copy)]
    assert as_json[0] == as_json[1]


def test_two_models_of_one_description_share_nothing():
    image = kp.Array((3, 5, 2), positions="learned")
    first, second = (kp.Perceiver(image, kp.Classes(7), **SMALL) for _ in range(2))
    assert not {id(weight) for weight in first.weights} & {id(weight) for weight in second.weights}


def test_layers_of_the_functional_model_can_be_taken_apart():
    model = perceiver()
    encoder = model.get_layer("encoder")
    array = encoder.get_layer("array_inputs").output
    features = keras.Model(encoder.input, array)
    assert features(IMAGES).shape == (2, 15, 20)
