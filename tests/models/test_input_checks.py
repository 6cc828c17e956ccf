"""Values that a model cannot read are refused, and in graphs never become others."""

import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp
from tests.random_values import normal

SMALL = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "jit_compile": False,
}
IDS = np.array([[3, 9, 260], [7, 0, 0]], "int32")


@pytest.fixture(scope="module")
def language():
    return kp.build_masked_language_model(3, dim=8, **SMALL)


@pytest.fixture(scope="module")
def sampled():
    outputs = {"out": kp.Grid((5,), channels=2, num_decoded=2)}
    return kp.build_perceiver_io({"x": kp.Array((4, 2), masked=True)}, outputs, **SMALL)


def ways(model):
    return {
        "call": model,
        "predict": lambda raw: model.predict(raw, verbose=0),
        "encode": model.encode,
        "fit": lambda raw: model.fit(raw, IDS, verbose=0),
    }


@pytest.mark.parametrize("way", ["call", "predict", "encode", "fit"])
@pytest.mark.parametrize("bad", [-1, 262, 10**6])
def test_token_ids_out_of_range(language, way, bad):
    ids = IDS.copy()
    ids[1, 1] = bad
    with pytest.raises(ValueError, match=r"`inputs\['text'\]` must be whole numbers from 0 to 261"):
        ways(language)[way](ids)


@pytest.mark.parametrize("bad", [-1, 5])
def test_indices_out_of_range(sampled, bad):
    raw = {"x": normal(2, 4, 2), "x_mask": np.ones((2, 4), bool)}
    with pytest.raises(ValueError, match=r"`inputs\['out_indices'\]` must be whole numbers from 0"):
        sampled({**raw, "out_indices": np.array([[0, 1], [bad, 2]])})


def test_nan(sampled):
    raw = {"x": normal(2, 4, 2), "x_mask": np.ones((2, 4), bool)}
    raw["x"][1, 2, 0] = np.nan
    indices = {"out_indices": np.array([[0, 1], [1, 2]])}
    message = r"`inputs\['x'\]` must be finite numbers. Received: nan at index \(1, 2, 0\)"
    for call in (sampled, sampled.predict, sampled.encode):
        with pytest.raises(ValueError, match=message):
            call({**raw, **indices})
    with pytest.raises(ValueError, match=message):
        sampled({**raw, "x": ops.convert_to_tensor(raw["x"]), **indices})
    with pytest.raises(ValueError, match="`latents` must be finite"):
        sampled.decode(np.full((2, 3, 8), np.inf, "float32"))


def test_batches_of_different_sizes(sampled):
    raw = {"x": normal(3, 4, 2), "out_indices": np.zeros((3, 2), int)}
    with pytest.raises(ValueError, match="the same number of examples"):
        sampled({**raw, "x_mask": np.ones((1, 4), bool)})


@pytest.mark.tensorflow
@pytest.mark.parametrize("bad", [-1, 262])
def test_in_a_graph_an_id_out_of_range_is_nan(language, bad):
    import tensorflow as tf

    @tf.function
    def call(ids):
        return language(ids)

    ids = IDS.copy()
    ids[1, 1] = bad
    good, found = call(tf.constant(IDS)).numpy(), call(tf.constant(ids)).numpy()
    assert np.isfinite(good).all() and np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.tensorflow
@pytest.mark.parametrize("bad", [-1, 5])
def test_in_a_graph_an_index_out_of_range_is_nan(sampled, bad):
    import tensorflow as tf

    @tf.function
    def call(raw):
        return sampled(raw)

    raw = {"x": normal(2, 4, 2), "x_mask": np.ones((2, 4), bool)}
    raw["out_indices"] = np.array([[0, 1], [bad, 2]], "int32")
    found = call({name: tf.constant(array) for name, array in raw.items()})["out"].numpy()
    assert np.isnan(found[1, 0]).all()
    assert np.isfinite(found[0]).all() and np.isfinite(found[1, 1]).all()


def test_strings_are_told_how_to_become_ids(language):
    with pytest.raises(ValueError, match="kp.text_to_ids"):
        language.predict(np.array(["a text", "another"]), verbose=0)
    with pytest.raises(ValueError, match="kp.text_to_ids"):
        language.predict(np.array([["a text"]], dtype=object), verbose=0)


@pytest.mark.parametrize("batch_size", [-1, 0, 1.5, "2"])
def test_batch_sizes(language, batch_size):
    with pytest.raises(ValueError, match="`batch_size` must be a whole number"):
        language.encode(IDS, batch_size=batch_size)


def test_after_a_refused_fit_a_right_one_works():
    wrong = {
        "an entry is missing": {"x": normal(4, 3, 2)},
        "a wrong shape": {"x": normal(4, 5, 2), "y": normal(4, 3)},
        "nan": {"x": np.full((4, 3, 2), np.nan, "float32"), "y": normal(4, 3)},
    }
    model = kp.build_classifier({"x": (3, 2), "y": kp.Labels(3)}, 2, **SMALL)
    model.run_eagerly = True  # they are refused before any tracing; of pipelines, see below
    for x in wrong.values():
        with pytest.raises(ValueError):
            model.fit(x, np.array([0, 1, 0, 1]), verbose=0)
    right = {"x": normal(4, 3, 2), "y": normal(4, 3)}
    history = model.fit(right, np.array([0, 1, 0, 1]), verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.slow
@pytest.mark.tensorflow
def test_after_a_pipeline_was_refused_a_right_one_works():
    import tensorflow as tf

    # An optimizer that has variables, which only the first tracing may make.
    model = kp.build_classifier({"x": (3, 2), "y": kp.Labels(3)}, 2, optimizer="adam", **SMALL)
    labels = np.array([0, 1, 0, 1])
    for wrong in ({"x": normal(4, 3, 2)}, {"x": normal(4, 5, 2), "y": normal(4, 3)}):
        with pytest.raises(ValueError):
            model.fit(tf.data.Dataset.from_tensor_slices((wrong, labels)).batch(2), verbose=0)
    right = {"x": normal(4, 3, 2), "y": normal(4, 3)}
    dataset = tf.data.Dataset.from_tensor_slices((right, labels)).batch(2)
    assert np.isfinite(model.fit(dataset, verbose=0).history["loss"]).all()
