import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.inputs.byte_vocabulary import MASK
from keras_perceiver.visualization import integrated_gradients
from tests.random_values import normal, randomize

SIZES = {
    "num_latents": 5,
    "latent_dim": 12,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 3,
    "compile": False,
}
INPUTS = {
    "sound": kp.Array((37, 1), num_bands=3),
    "picture": kp.Image(7, 5, 2, num_bands=2),
    "text": kp.Text(11, 300, 8),
    "table": kp.Table(3, (2,), dim=6),
}


def raw():
    rng = np.random.default_rng(1)
    return {
        "sound": normal(2, 37, 1) + 1000,
        "picture": normal(2, 7, 5, 2),
        "text": rng.integers(6, 262, (2, 11)).astype("int32"),
        "table": normal(2, 3),
        "table_categories": np.array([[0], [1]], "int32"),
    }


def number(values):
    return keras.ops.convert_to_numpy(values)


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["separable", "plain", "chunked"])
def test_contributions_sum_to_the_change_of_the_answer(attention):
    model = kp.build_perceiver_io(
        INPUTS, kp.Classes(3), num_cross_attends=2, attention=attention,
        num_cross_attention_heads=1, **SIZES,
    )  # fmt: skip
    randomize(model, stddev=0.15)
    given = raw()
    base = {
        **given,
        "sound": np.full((1, 37, 1), 1000.0),
        "picture": np.zeros((1, 7, 5, 2)),
        "text": np.full((1, 11), MASK),
        "table": np.zeros((1, 3)),
    }
    found = integrated_gradients(
        model, given, target=1, steps=20, baseline={"sound": base["sound"]}
    )
    assert {name: one.shape for name, one in found.items()} == {
        "sound": (2, 37),
        "picture": (2, 7, 5),
        "text": (2, 11),
        "table": (2, 4),
    }
    base = {name: np.broadcast_to(one, given[name].shape) for name, one in base.items()}
    wanted = number(model(given))[:, 1] - number(model(base))[:, 1]
    total = sum(one.reshape(2, -1).sum(axis=1) for one in found.values())
    np.testing.assert_allclose(total, wanted, rtol=0.02, atol=1e-4)
    assert np.abs(wanted).min() > 1e-3


def test_only_what_the_answer_depends_on_contributes():
    """A model that attends to all alike, and reads only channel 0 of an array."""
    model = kp.build_classifier(kp.Array((6, 4), positions="none"), 3, **SIZES)
    randomize(model)
    attention = model.encoder.get_layer("encoder_cross_attention").attention
    attention.value_layer.kernel.assign(np.zeros(attention.value_layer.kernel.shape))
    np.testing.assert_allclose(integrated_gradients(model, normal(2, 6, 4))["array"], 0, atol=1e-6)
    assert kp.visualization.attention_maps(model, normal(2, 6, 4))["classes"]["array"].min() > 0


def test_queries_of_a_picture_and_the_largest_value():
    picture = kp.Image(5, 3, 1, num_bands=2)
    outputs = {"label": kp.Classes(4), "parts": kp.PerInput("image", num_classes=3)}
    model = randomize(kp.build_perceiver_io({"image": picture}, outputs, **SIZES))
    images = {"image": normal(2, 5, 3, 1)}
    for output, query in (("label", 0), ("parts", 7)):
        answers = number(model(images)[output]).reshape(2, -1, 4 if output == "label" else 3)
        largest = answers[:, query].argmax(-1)
        found = integrated_gradients(model, images, output=output, query=query, steps=3)
        for example, target in enumerate(largest):
            one = integrated_gradients(
                model, images, output=output, query=query, steps=3, target=int(target)
            )
            np.testing.assert_allclose(found["image"][example], one["image"][example], atol=1e-6)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"steps": 0}, "`steps`"),
        ({"target": 3}, r"`target` must lie in \[0, 3\)"),
        ({"query": 1}, r"`query` must lie in \[0, 1\)"),
        ({"output": "label"}, "`output` must be one of"),
        ({"baseline": {"pixels": np.zeros((1, 6, 4))}}, "`baseline` must have entries of"),
        ({"baseline": np.zeros((1, 4, 6))}, r"`baseline\['array'\]` must have shape"),
    ],
)
def test_bad_arguments(options, message):
    model = kp.build_classifier(kp.Array((6, 4), num_bands=2), 3, **SIZES)
    with pytest.raises(ValueError, match=message):
        integrated_gradients(model, normal(2, 6, 4), **options)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="`model` must be a keras_perceiver Perceiver"):
        integrated_gradients(None, normal(2, 3))
