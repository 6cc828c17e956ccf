import numpy as np
import pytest
import tensorflow as tf

from keras_perceiver.data import from_arrays

IMAGES = np.arange(7 * 3 * 5 * 2).reshape(7, 3, 5, 2) / 100.0
LABELS = np.array([0, 1, 2, 3, 4, 0, 1])


def read(dataset):
    """All inputs and all targets of one epoch."""
    inputs, targets = zip(*dataset.as_numpy_iterator())
    return np.concatenate(inputs), np.concatenate(targets)


def changed(array, index, value):
    array = np.array(array)
    array[index] = value
    return array


def test_batches_hold_the_examples_in_order():
    dataset = from_arrays(IMAGES, LABELS, 3, num_classes=5)
    assert dataset.element_spec[0] == tf.TensorSpec((None, 3, 5, 2), tf.float32)
    assert [len(targets) for _, targets in dataset] == [3, 3, 1]
    assert len(dataset) == 3  # known beforehand, for the progress bar
    inputs, targets = read(dataset)
    np.testing.assert_allclose(inputs, IMAGES, rtol=1e-6)
    np.testing.assert_array_equal(targets, LABELS)


def test_drop_remainder_leaves_out_the_last_batch():
    dataset = from_arrays(IMAGES, LABELS, 3, drop_remainder=True)
    assert [targets.shape for _, targets in dataset] == [(3,), (3,)]
    assert dataset.element_spec[0].shape == (3, 3, 5, 2)


def test_dicts_keep_their_names_and_other_kinds_of_arrays():
    inputs = {"image": IMAGES.astype("uint8"), "text": ["a", "bb", "c", "d", "e", "f", "g"]}
    targets = {"kind": LABELS, "size": LABELS / 7}
    (batch,) = from_arrays(inputs, targets, 7, num_classes={"kind": 5})
    assert batch[0]["image"].dtype == tf.uint8
    assert batch[0]["text"][1] == b"bb"
    np.testing.assert_array_equal(batch[1]["kind"], LABELS)
    np.testing.assert_allclose(batch[1]["size"], LABELS / 7, rtol=1e-6)


def test_shuffling_keeps_pairs_together_and_changes_with_the_epoch():
    index = np.arange(97)
    dataset = from_arrays(index * 0.5, index, 11, shuffle=True, seed=3)
    (inputs, first), (_, second) = read(dataset), read(dataset)
    np.testing.assert_allclose(inputs, first * 0.5)
    np.testing.assert_array_equal(np.sort(first), index)
    assert (first != index).any() and (first != second).any()


def test_a_seed_repeats_orders_and_augmentation_from_run_to_run():
    def augment(inputs, seed):
        return inputs + tf.random.stateless_uniform(tf.shape(inputs), seed)

    def two_epochs(seed):
        options = {"shuffle": True, "seed": seed, "augment": augment}
        dataset = from_arrays(np.arange(97.0), np.arange(97), 11, **options)
        return [read(dataset)[0] for _ in range(2)]

    first, second = two_epochs(seed=3)
    again, again_second = two_epochs(seed=3)
    other, _ = two_epochs(seed=4)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(second, again_second)
    assert (first != other).any()
    noise, later_noise = np.sort(first) - np.arange(97), np.sort(second) - np.arange(97)
    assert (np.abs(noise - later_noise) > 1e-4).any()  # new in each epoch
    assert len(np.unique(np.round(noise, 5))) > 90  # and in each batch


def test_augmentation_leaves_targets_alone():
    dataset = from_arrays(IMAGES, LABELS, 3, augment=lambda inputs, seed: -inputs)
    inputs, targets = read(dataset)
    np.testing.assert_allclose(inputs, -IMAGES, rtol=1e-6)
    np.testing.assert_array_equal(targets, LABELS)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"targets": LABELS[:6]}, "same number of examples.*inputs has 7, targets has 6"),
        ({"inputs": IMAGES[:0], "targets": LABELS[:0]}, r"at least one.*shape \(0, 3, 5, 2\)"),
        ({"inputs": {}}, "`inputs` must be an array or a dict of arrays. Received: {}"),
        ({"inputs": 3.0}, "`inputs` must be an array whose first axis.*inputs=3.0"),
        ({"inputs": [[1], [1, 2]]}, "`inputs` must be an array of equally shaped examples"),
        ({"inputs": np.array([{}] * 7)}, "array of numbers, booleans or text.*dtype object"),
        ({"targets": changed(LABELS, 4, 5)}, r"whole numbers from 0 to 4.*label 5 at index 4$"),
        ({"targets": changed(LABELS, 2, -1)}, r"whole numbers from 0 to 4.*label -1 at index 2$"),
        ({"targets": LABELS + 0.5}, "whole numbers.*integer dtype.*float32, beginning with.*0.5"),
        (
            {"targets": changed(np.zeros((7, 3), int), (1, 2), 9)},
            r"label 9 at index \(1, 2\)$",
        ),
        (
            {"inputs": changed(IMAGES, (6, 0, 1, 0), np.nan)},
            r"`inputs` must be finite.*nan at index \(6, 0, 1, 0\)$",
        ),
        (
            {"inputs": changed(IMAGES, (5, 2, 0, 1), -np.inf)},
            r"`inputs` must be finite.*-inf at index \(5, 2, 0, 1\)$",
        ),
        (
            {"inputs": {"left": changed(IMAGES, (0, 0, 0, 0), 1e300)}},
            r"`inputs\['left'\]` must be finite.*inf at index",
        ),
        ({"targets": np.full(7, np.inf), "num_classes": None}, "`targets` must be finite.*index 0"),
        ({"batch_size": 0}, "`batch_size` must be a whole number of at least 1.*batch_size=0"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number of at least 1.*batch_size=2.5"),
        ({"batch_size": 8, "drop_remainder": True}, r"`batch_size` must be at most.*\(7\).*=8"),
        ({"num_classes": 0}, "`num_classes` must be a whole number of at least 1"),
        ({"num_classes": {"kind": 3}}, "`num_classes` must be a number for one target"),
        ({"targets": {"kind": LABELS}}, "`num_classes` must be a dict.*'kind'.*num_classes=5"),
        (
            {"targets": {"kind": LABELS}, "num_classes": {"sort": 5}},
            r"`num_classes` must be a dict.*among \['kind'\].*'sort'",
        ),
        (
            {"targets": {"kind": LABELS}, "num_classes": {"kind": 3}},
            r"`targets\['kind'\]` must be whole numbers from 0 to 2.*label 3 at index 3$",
        ),
        ({"seed": -1}, "`seed` must be a whole number of at least 0.*seed=-1"),
        ({"augment": "shift"}, "`augment` must be a function.*'shift'"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_step(change, message):
    arguments = {"inputs": IMAGES, "targets": LABELS, "batch_size": 3, "num_classes": 5}
    with pytest.raises(ValueError, match=message):
        from_arrays(**{**arguments, **change})
