"""Training on a sample of the output."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

SMALL = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}
SMALL.update(num_self_attention_heads=2, jit_compile=False)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.slow
def test_targets_are_those_of_the_drawn_elements():
    inputs = {"video": kp.Video(2, 4, 8), "audio": kp.Audio(28, 4), "label": kp.Labels(3)}
    model = kp.build_autoencoder(inputs, num_decoded={"video": 11, "audio": 5}, **SMALL)
    raw = {"video": normal(6, 2, 4, 8, 3), "audio": normal(6, 28, 1), "label": normal(6, 3)}
    targets = {**raw, "label": np.arange(6) % 3}
    whole = kp.data.from_arrays(raw, targets, 3)
    dataset = kp.data.sample_queries(whole, model, seed=1)
    for start, (x, y) in enumerate(dataset.as_numpy_iterator()):
        rows = range(3 * start, 3 * start + 3)
        for i, row in enumerate(rows):
            by_pixel = raw["video"][row].reshape(-1, 3)[x["video_indices"][i]]
            by_patch = raw["audio"][row].reshape(-1, 4)[x["audio_indices"][i]]
            np.testing.assert_array_equal(y["video"][i], by_pixel)
            np.testing.assert_array_equal(y["audio"][i], by_patch)
        assert y["label"].shape == (3,)
        assert len(np.unique(x["video_indices"], axis=0)) == 3
    first, second = (next(dataset.as_numpy_iterator())[0]["video_indices"] for _ in range(2))
    assert (first != second).any()
    history = model.fit(dataset, epochs=1, shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    # all of it is decoded after training
    assert model.decode(model.encode(raw), output="video", chunk_size=20).shape == (6, 2, 4, 8, 3)


def test_classes_keep_their_shape():
    grid = kp.Grid((4, 6), num_classes=2, num_decoded=7)
    model = kp.build_perceiver_io({"image": kp.Image(4, 6)}, {"mask": grid}, **SMALL)
    masks = np.arange(48).reshape(2, 4, 6)
    dataset = kp.data.from_arrays({"image": normal(2, 4, 6, 3)}, {"mask": masks}, 2)
    ((x, y),) = kp.data.sample_queries(dataset, model).as_numpy_iterator()
    indices = x["mask_indices"]
    np.testing.assert_array_equal(y["mask"], np.take_along_axis(masks.reshape(2, -1), indices, 1))


def test_bad_arguments():
    model = kp.build_classifier({"image": (4, 4, 1)}, 2, **SMALL)
    with pytest.raises(ValueError, match="`num_decoded`"):
        kp.data.sample_queries(tf.data.Dataset.range(1), model)
    inputs = {"video": kp.Video(2, 4, 8)}
    model = kp.build_autoencoder(inputs, num_decoded={"video": 11}, **SMALL)
    with pytest.raises(ValueError, match="must have elements"):
        kp.data.sample_queries(tf.data.Dataset.range(1), model)
    elements = tf.data.Dataset.from_tensors(({"video": normal(1, 2)}, {"sound": normal(1, 2)}))
    with pytest.raises(ValueError, match=r"must have targets for \['video'\]"):
        kp.data.sample_queries(elements, model)
    with pytest.raises(ValueError, match="`num_decoded` must name inputs"):
        kp.build_autoencoder(inputs, num_decoded={"vidoe": 11}, **SMALL)
