"""Text to byte ids and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_perceiver as kp


def test_the_papers_example():
    assert kp.text_to_ids("é a").tolist() == [201, 175, 38, 103]
    text = "This is an incomplete sentence where some words are missing."
    assert len(kp.text_to_ids(text)) == 60
    assert kp.ids_to_text([38, 115, 111, 121, 121, 111, 116, 109, 52]) == " missing."


def test_padding_cutting_and_special_tokens():
    assert kp.text_to_ids(["a", "bcd"], max_length=2).tolist() == [[103, 0], [104, 105]]
    assert kp.text_to_ids("a", max_length=3).dtype == np.int32
    assert kp.ids_to_text([[4, 103, 5, 0], [104, 3, 3, 3]]) == ["a", "b"]
    assert kp.ids_to_text(kp.text_to_ids("é", max_length=1)) == "�"
    assert kp.text_to_ids([], max_length=3).shape == (0, 3)


@given(st.text())
def test_back_and_forth(text):
    assert kp.ids_to_text(kp.text_to_ids(text)) == text


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: kp.text_to_ids(3), "`text` must be a str or bytes"),
        (lambda: kp.text_to_ids(["a", "bc"]), "`max_length` must be given"),
        (lambda: kp.text_to_ids("a", max_length=0), "`max_length` must be a whole number"),
        (lambda: kp.ids_to_text([262]), r"`ids` must lie in \[0, 262\). Received: 262"),
        (lambda: kp.ids_to_text([-1]), r"Received: -1"),
        (lambda: kp.ids_to_text([1.5]), "`ids` must be whole numbers"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
