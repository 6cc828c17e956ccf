"""Text in tf.data: ids, hidden words, checks."""

import os

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_perceiver as kp


@pytest.mark.drawn
@settings(deadline=None, max_examples=50 if "EXAMPLES" in os.environ else 15)
@given(st.lists(st.text(), min_size=1, max_size=5), st.integers(1, 20))
def test_ids_equal_the_numpy_ones(texts, max_length):
    strings = [text.encode("utf-8") for text in texts]
    wanted = kp.text_to_ids(strings, max_length)
    np.testing.assert_array_equal(kp.data.text_ids(strings, max_length), wanted)
    mapped = tf.data.Dataset.from_tensor_slices(strings)
    mapped = mapped.map(lambda text: kp.data.text_ids(text, max_length))
    np.testing.assert_array_equal(np.stack(list(mapped.as_numpy_iterator())), wanted)


def masked(texts, probability, seed):
    ids = tf.data.Dataset.from_tensor_slices(kp.text_to_ids(texts, 40)).batch(64)
    (batch,) = kp.data.masked_words(ids, probability, seed).as_numpy_iterator()
    return batch


def test_whole_words_are_hidden():
    texts = ["the quick brown\tfox  jumps", "a bb ccc dddd\neeeee"] * 32
    hidden, ids, weights = masked(texts, 0.3, seed=5)
    np.testing.assert_array_equal(ids, kp.text_to_ids(texts, 40))
    np.testing.assert_array_equal(hidden, np.where(weights > 0, 3, ids))
    share = []
    for text, weight in zip(texts, weights):
        assert weight[len(text) :].sum() == 0  # padding is never hidden
        start = 0
        for word in text.replace("\t", " ").replace("\n", " ").split(" "):
            of_word = weight[start : start + len(word)]
            if word:
                assert of_word.min() == of_word.max()
                share.append(of_word[0])
            start += len(word) + 1
            assert weight[start - 1] == 0 or start > len(text)  # nor is white space
    assert 0.2 < np.mean(share) < 0.4


@pytest.mark.parametrize(
    "text, words",
    [
        ("", []),
        ("   \t\n  ", []),
        (" \u00e4 \u00e9\u00e8  z", ["\u00e4", "\u00e9\u00e8", "z"]),  # of one, two and four bytes
        ("x" * 99, ["x" * 40]),  # longer than the window
        ("ab " + "x" * 99, ["ab", "x" * 37]),
        ("\u6587\u5b57\u306b\u9694\u305f\u308a", None),  # not spaced: a single word
    ],
)
def test_odd_texts(text, words):
    ids = kp.text_to_ids([text], 40)
    words = [text] if words is None else words
    hidden, same, weights = masked([text] * 60, 0.5, seed=5)
    np.testing.assert_array_equal(same, np.repeat(ids, 60, axis=0))
    np.testing.assert_array_equal(hidden == 3, weights == 1)
    found = set(kp.ids_to_text(np.where(hidden == 3, ord("_") + 6, hidden)))
    wanted = {kp.ids_to_text(ids)[0]}
    for word in words:
        wanted |= {one.replace(word, "_" * len(word.encode()), 1) for one in wanted}
    assert found == wanted


def test_the_share_of_words_is_that_of_the_paper():
    texts = ["a b c d e f g h i j k l m n o p q r s t"] * 400
    ids = tf.data.Dataset.from_tensor_slices(kp.text_to_ids(texts, 40)).batch(400)
    ((_, _, weights),) = kp.data.masked_words(ids, seed=5).as_numpy_iterator()
    assert abs(weights.sum(axis=1).mean() / 20 - 0.15) < 0.01


def test_the_same_seed_hides_the_same_words_and_epochs_differ():
    texts = ["one two three four five six"] * 8
    np.testing.assert_array_equal(masked(texts, 0.5, 1)[0], masked(texts, 0.5, 1)[0])
    ids = tf.data.Dataset.from_tensor_slices(kp.text_to_ids(texts, 40)).batch(8)
    dataset = kp.data.masked_words(ids, 0.5, 1)
    first, second = ([batch[0] for batch in dataset.as_numpy_iterator()] for _ in range(2))
    assert (first[0] != second[0]).any()


def test_an_id_outside_the_vocabulary_is_named():
    ids = np.array([[5, 6], [261, 262]], "int32")
    dataset = tf.data.Dataset.from_tensor_slices(({"text": ids}, ids)).batch(2)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Received: id 262 at index \[1 1\]"):
        list(kp.data.check_ids(dataset, 262, name="text"))
    assert len(list(kp.data.check_ids(dataset, 263, name="text"))) == 1
    with pytest.raises(ValueError, match=r"`name` must be one of \['text'\]"):
        kp.data.check_ids(dataset, 262, name="txt")
    floats = tf.data.Dataset.from_tensor_slices(ids.astype("float32"))
    with pytest.raises(ValueError, match="integer dtype"):
        kp.data.check_ids(floats, 262)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`probability`"):
        kp.data.masked_words(tf.data.Dataset.range(1), 0.0)
    with pytest.raises(ValueError, match="`texts` must be strings"):
        kp.data.text_ids([1, 2], 3)
    with pytest.raises(ValueError, match="`max_length`"):
        kp.data.text_ids(["a"], 0)
