"""Probabilities of classes, and their order."""

import numpy as np
import pytest

from keras_perceiver.preparation.class_probabilities import most_probable, probabilities


def test_large_logits_do_not_overflow():
    found = probabilities("logits", [[5000.0, 5001.0, -5000.0]])
    np.testing.assert_allclose(found, [[1 / (1 + np.e), np.e / (1 + np.e), 0]], atol=1e-12)


def test_equal_probabilities_keep_their_order():
    assert most_probable(np.full(5, 0.2), None, 3) == [(0, 0.2), (1, 0.2), (2, 0.2)]
    assert len(most_probable(np.full(5, 0.2), list("abcde"), 7)) == 5


@pytest.mark.parametrize(
    "logits, message",
    [
        ([1.0, 2.0], r"`logits` must have shape \(batch, num_classes\)"),
        ([[np.nan, 2.0]], "`logits` must be finite numbers"),
        ([["a"]], "`logits` must be an array of numbers"),
    ],
)
def test_bad_logits(logits, message):
    with pytest.raises(ValueError, match=message):
        probabilities("logits", logits)


def test_the_number_of_names_is_the_number_of_classes():
    with pytest.raises(ValueError, match="each of the 3 classes .* Received: 2 names"):
        most_probable(np.full(3, 1 / 3), ["a", "b"], 1)
    with pytest.raises(ValueError, match="`top` must be a whole number"):
        most_probable(np.full(3, 1 / 3), None, 0)
