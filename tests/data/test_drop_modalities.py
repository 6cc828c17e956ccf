"""Modalities left out of random examples."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

COUNT = 4000
INPUTS = {
    "video": np.ones((COUNT, 2, 3), "float32"),
    "audio": np.arange(COUNT * 5, dtype="float32").reshape(COUNT, 5),
    "label": np.ones((COUNT, 7), "float32"),
}


def test_each_modality_is_left_out_at_its_rate_and_alone():
    rates = {"video": 0.3, "label": 0.5}
    result = kp.data.drop_modalities(INPUTS, rates, (3, 5))
    assert list(result) == [*INPUTS, "label_present", "video_present"]
    video, label = (result[f"{name}_present"].numpy() for name in rates)
    assert video.dtype == bool and video.shape == (COUNT, 1)
    assert abs(video.mean() - 0.7) < 0.03 and abs(label.mean() - 0.5) < 0.03
    assert abs((video & label).mean() - 0.35) < 0.03  # independent
    for name, array in INPUTS.items():
        np.testing.assert_array_equal(result[name], array)
    assert list(INPUTS) == ["video", "audio", "label"]  # the given dict is left alone


def test_never_and_always():
    result = kp.data.drop_modalities(INPUTS, {"video": 0.0, "audio": 1}, (3, 5))
    assert result["video_present"].numpy().all() and not result["audio_present"].numpy().any()


def test_what_is_missing_stays_so():
    there = np.random.default_rng(0).uniform(size=COUNT) < 0.5
    for shape in ((COUNT, 1), (COUNT,)):
        inputs = {**INPUTS, "video_present": there.reshape(shape)}
        result = kp.data.drop_modalities(inputs, {"video": 0.5}, (3, 5))
        kept = result["video_present"].numpy()[:, 0]
        assert not kept[~there].any() and abs(kept[there].mean() - 0.5) < 0.04


def test_the_seed_decides_whatever_else_is_dropped():
    first, again, other = (
        kp.data.drop_modalities(INPUTS, {"video": 0.5}, (3, s))["video_present"].numpy()
        for s in (5, 5, 7)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_as_augmentation_and_in_datasets():
    labels = np.zeros(COUNT, int)

    def augment(inputs, seed):
        return kp.data.drop_modalities(inputs, {"audio": 0.2}, seed)

    (batch,) = kp.data.from_arrays(INPUTS, labels, COUNT, augment=augment, seed=1)
    assert abs(batch[0]["audio_present"].numpy().mean() - 0.8) < 0.03
    pairs = tf.data.Dataset.from_tensor_slices((INPUTS, labels)).batch(1500)
    dropped = kp.data.drop_modalities(pairs, {"audio": 0.2}, seed=1)
    assert dropped.element_spec[0]["audio_present"] == tf.TensorSpec((None, 1), tf.bool)
    runs = [[inputs["audio_present"].numpy() for inputs, _ in dropped] for _ in range(2)]
    assert [len(part) for part in runs[0]] == [1500, 1500, 1000]
    assert (runs[0][0] != runs[1][0]).any() and (runs[0][0] != runs[0][1]).any()
    again = kp.data.drop_modalities(pairs, {"audio": 0.2}, seed=1)
    for one, (inputs, _) in zip(runs[0], again):
        np.testing.assert_array_equal(one, inputs["audio_present"])
    alone = kp.data.drop_modalities(pairs.map(lambda x, y: x), {"video": 0.5}, seed=1)
    assert set(alone.element_spec) == {*INPUTS, "video_present"}


@pytest.mark.slow
def test_a_model_takes_it_and_does_not_see_what_is_left_out():
    sizes = {
        "num_latents": 3,
        "latent_dim": 8,
        "num_self_attends_per_block": 1,
        "num_self_attention_heads": 2,
        "jit_compile": False,
    }
    inputs = {"image": kp.Image(4, 4, may_be_missing=True), "sound": kp.Audio(20, 4)}
    model = kp.build_perceiver_io(inputs, kp.Classes(3), **sizes)
    random = np.random.default_rng(1)
    arrays = {"image": random.normal(size=(16, 4, 4, 3)), "sound": random.normal(size=(16, 20, 1))}
    dropped = kp.data.drop_modalities(arrays, {"image": 0.5}, (3, 5))
    gone = ~dropped["image_present"].numpy()[:, 0]
    assert 0 < gone.sum() < 16
    other = {**dropped, "image": tf.where(gone[:, None, None, None], 9.0, arrays["image"])}
    np.testing.assert_allclose(
        model.predict(dropped, verbose=0), model.predict(other, verbose=0), atol=1e-6
    )
    train = kp.data.from_arrays(arrays, np.arange(16) % 3, 8)
    train = kp.data.drop_modalities(train, {"image": 0.5}, seed=1)
    assert np.isfinite(model.fit(train, verbose=0).history["loss"]).all()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"rates": {}}, "`rates` must be a dict"),
        ({"rates": 0.5}, "`rates` must be a dict"),
        ({"rates": {"video": 1.5}}, r"`rates\['video'\]` must be .*at most 1"),
        ({"rates": {"video": None}}, r"`rates\['video'\]`"),
        ({"rates": {"vidoe": 0.5}}, r"names of `inputs`.*Did you mean 'video'\? Received: 'vidoe'"),
        ({"inputs": INPUTS["video"]}, "`inputs` must be a dict.*ndarray"),
        ({"inputs": tf.data.Dataset.range(3), "seed": 1}, "`inputs` must be a dict"),
        ({"seed": None}, "`seed`"),
    ],
)
def test_bad_arguments(change, message):
    good = {"inputs": INPUTS, "rates": {"video": 0.5}, "seed": (3, 5)}
    with pytest.raises(ValueError, match=message):
        kp.data.drop_modalities(**{**good, **change})
    pairs = tf.data.Dataset.from_tensors((INPUTS, 0))
    with pytest.raises(ValueError, match="Received: 'sound'"):
        kp.data.drop_modalities(pairs, {"sound": 0.5}, 1)
    with pytest.raises(ValueError, match="`seed`"):
        kp.data.drop_modalities(pairs, {"video": 0.5}, (3, 5))
