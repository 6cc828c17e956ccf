import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_perceiver.data import check_labels

INPUTS = np.linspace(0, 1, 20 * 3).reshape(20, 3).astype("float32")
LABELS = np.arange(20) % 5


def with_label(label, index=13):
    labels = LABELS.copy()
    labels[index] = label
    return tf.data.Dataset.from_tensor_slices((INPUTS, labels))


def test_good_labels_pass_unchanged():
    dataset = with_label(3).batch(7)
    checked = check_labels(dataset, 5)
    assert checked.element_spec == dataset.element_spec
    assert len(checked) == len(dataset)
    for (inputs, labels), (wanted_inputs, wanted_labels) in zip(checked, dataset, strict=True):
        np.testing.assert_array_equal(inputs, wanted_inputs)
        np.testing.assert_array_equal(labels, wanted_labels)


@pytest.mark.parametrize("label", [5, -1, 1000])
def test_a_batch_with_a_label_out_of_range_is_not_given_out(label):
    batches = iter(check_labels(with_label(label).batch(5), 5))
    next(batches), next(batches)
    message = (
        rf"`targets` must be whole numbers from 0 to 4.*label {label} at index \[3\] of element 2"
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        next(batches)


def test_single_examples_and_one_byte_labels():
    examples = with_label(200).map(lambda x, y: (x, tf.cast(y, tf.uint8)))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"label 200 in element 13"):
        list(check_labels(examples, 5))
    assert len(list(check_labels(examples, 256))) == 20  # more classes than the dtype can count


def test_the_place_of_a_label_among_many():
    labels = np.zeros((2, 3, 5), int)
    labels[1, 2, 4] = labels[1, 2, 3] = 9
    dataset = tf.data.Dataset.from_tensors((INPUTS, labels))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"label 9 at index \[1 2 3\] of"):
        list(check_labels(dataset, 5))


def test_fit_stops_before_the_step_that_would_use_it():
    def trained(dataset, stops):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, "relu")])
        model.layers[0].kernel.assign(np.linspace(-1, 1, 15).reshape(3, 5))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, jit_compile=False)
        if stops:
            with pytest.raises(tf.errors.InvalidArgumentError, match="label 7 at index"):
                model.fit(dataset, shuffle=False, verbose=0)
        else:
            model.fit(dataset, shuffle=False, verbose=0)
        return model.get_weights()

    checked = check_labels(with_label(7).batch(5), 5)
    for weights, wanted in zip(
        trained(checked, True), trained(with_label(7).batch(5).take(2), False)
    ):
        np.testing.assert_array_equal(weights, wanted)


def test_weights_and_dicts_of_targets():
    targets = {"kind": LABELS, "size": LABELS / 5}
    dataset = tf.data.Dataset.from_tensor_slices((INPUTS, targets, np.ones(20))).batch(5)
    (_, first, weights), *_ = check_labels(dataset, {"kind": 5})
    np.testing.assert_array_equal(first["kind"], LABELS[:5])
    np.testing.assert_array_equal(weights, np.ones(5))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`targets\[kind\]`.*label 4"):
        list(check_labels(dataset, {"kind": 4}))


@pytest.mark.parametrize(
    "elements, num_classes, message",
    [
        (INPUTS, 5, r"`dataset` must have elements \(inputs, targets\)"),
        ((INPUTS, LABELS / 5), 5, "`targets` must be whole numbers.*integer dtype.*float64"),
        ((INPUTS, LABELS), 0, "`num_classes` must be a whole number of at least 1"),
        ((INPUTS, {"kind": LABELS}), 5, "`num_classes` must be a dict"),
        ((INPUTS, {"kind": LABELS}), {"sort": 5}, r"among \['kind'\]"),
    ],
)
def test_what_can_be_seen_at_once_is_said_at_once(elements, num_classes, message):
    with pytest.raises(ValueError, match=message):
        check_labels(tf.data.Dataset.from_tensor_slices(elements), num_classes)
