"""Texts as bytes with and without special tokens, and filled in."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.inputs.byte_vocabulary import CLS, MASK, SEP

SENTENCE = "This is an incomplete sentence where some words are missing."
GREEDY = [38, 115, 111, 121, 121, 111, 116, 109, 52]  # " missing.", of both published models
TextPreparation = kp.preparation.TextPreparation


def certain(ids):
    """Logits `(batch, length, 262)` of a model that is certain of these ids."""
    return np.eye(262)[np.asarray(ids)]


@pytest.mark.parametrize("special_tokens", [False, True])
def test_the_published_example(special_tokens):
    """60 bytes with a mask at 51:60; or 62 tokens with a mask at 52:61."""
    prepare = TextPreparation(special_tokens=special_tokens)
    inputs = prepare([SENTENCE.replace(" missing.", "[MASK]" * 9)])
    ids, mask = (inputs[key].numpy() for key in ("text", "text_mask"))
    length, hidden = (62, slice(52, 61)) if special_tokens else (60, slice(51, 60))
    assert ids.shape == mask.shape == (1, 2048) and ids.dtype == "int32"
    assert mask[0, :length].all() and not mask[0, length:].any() and not ids[0, length:].any()
    np.testing.assert_array_equal(np.flatnonzero(ids[0] == MASK), np.arange(2048)[hidden])
    wanted = kp.text_to_ids(SENTENCE).tolist()
    wanted = [CLS, *wanted, SEP] if special_tokens else wanted
    answer = np.zeros((1, 2048), "int64")
    answer[0, hidden] = GREEDY
    filled = np.where(ids == MASK, answer, ids)
    np.testing.assert_array_equal(filled[0, :length], wanted)
    assert prepare.readable(certain(answer), inputs) == [SENTENCE]


@pytest.mark.parametrize("texts", [["é a", "", "b" * 7, "ab\0\n"], "é a", b"\xc3\xa9", []])
def test_ids_are_those_of_text_to_ids(texts):
    inputs = TextPreparation(5)(np.array(texts, "S1").reshape(0) if texts == [] else texts)
    wanted = kp.text_to_ids(texts, 5)
    np.testing.assert_array_equal(inputs["text"], wanted)
    np.testing.assert_array_equal(inputs["text_mask"], wanted != 0)
    unmasked = TextPreparation(5, masked=False)(texts or tf.zeros((0,), "string"))
    assert list(unmasked) == ["text"]
    np.testing.assert_array_equal(unmasked["text"], wanted)


def longest_first(first, second, room):
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


def test_pairs_are_truncated_longest_first():
    pairs = [("a" * m, "b" * n) for m, n in itertools.product((0, 1, 3, 4, 5, 6, 11), repeat=2)]
    texts, others = zip(*pairs)
    for max_length in (3, 4, 5, 11, 12, 19, 30):
        prepare = TextPreparation(max_length, special_tokens=True)
        inputs = prepare(list(texts), list(others))
        for i, pair in enumerate(pairs):
            first, second = longest_first(*pair, max_length - 3)
            wanted = [CLS, *(103 for _ in first), SEP, *(104 for _ in second), SEP]
            padding = [0] * (max_length - len(wanted))
            assert inputs["text"][i].numpy().tolist() == wanted + padding
            assert inputs["text_mask"][i].numpy().sum() == len(wanted)
        answers = prepare.readable(certain(inputs["text"]), inputs)
        assert answers == [
            tuple("".join(text) for text in longest_first(*pair, max_length - 3)) for pair in pairs
        ]


def test_one_text_between_special_tokens_is_truncated():
    inputs = TextPreparation(5, special_tokens=True)(["", "ab", "abc", "abcd"])
    a, b, c = 103, 104, 105
    assert inputs["text"].numpy().tolist() == [
        [CLS, SEP, 0, 0, 0],
        [CLS, a, b, SEP, 0],
        [CLS, a, b, c, SEP],
        [CLS, a, b, c, SEP],
    ]


def test_a_pair_of_single_texts():
    prepare = TextPreparation(9, special_tokens=True)
    inputs = prepare("a[MASK]", "b")
    assert inputs["text"].numpy().tolist() == [CLS, 103, MASK, SEP, 104, SEP, 0, 0, 0]


@pytest.mark.parametrize("mask_token", ["[MASK]", "(.*)\\", "é", "a b\n", "$"])
def test_any_mask_token(mask_token):
    prepare = TextPreparation(16, mask_token=mask_token)
    ids = prepare([f"x{mask_token}{mask_token}y", "x"])["text"].numpy()
    assert ids[0].tolist() == [126, MASK, MASK, 127] + [0] * 12
    assert ids[1].tolist() == [126] + [0] * 15


def test_without_a_mask_token_every_byte_is_text():
    ids = TextPreparation(16, mask_token=None)("[MASK]")["text"]
    np.testing.assert_array_equal(ids, kp.text_to_ids("[MASK]", 16))


def test_hide_masks_each_byte_of_the_first_match():
    prepare = TextPreparation(16)
    hidden = prepare.hide("café, café", "fé")
    assert hidden == "ca[MASK][MASK][MASK], café"
    for text, part, message in (
        ("tea", "x", "`part` must be a part of 'tea'. Received: part='x'"),
        ("tea", "", "`part` must be a part"),
        (b"tea", "t", "`text` must be a string"),
    ):
        with pytest.raises(ValueError, match=message):
            prepare.hide(text, part)
    with pytest.raises(ValueError, match="`mask_token` must be a string"):
        TextPreparation(16, mask_token=None).hide("tea", "t")


def test_filled_bytes_are_text():
    """A special token is never filled in; what is not UTF-8 is marked, what is cut off dropped."""
    prepare = TextPreparation(8)
    inputs = prepare(["a[MASK]b", "a[MASK][MASK]", "xé[MASK]y", "abcdefgé"])
    logits = np.zeros((4, 8, 262))
    logits[0, 1, 5], logits[0, 1, ord("c") + 6] = 9, 1
    logits[1, 1:3] = certain([0xC3 + 6, 0xA9 + 6])
    logits[2, 3] = certain(0x80 + 6)
    assert prepare.readable(logits, inputs) == ["acb", "aé", "xé\ufffdy", "abcdefg"]
    logits[1, 2] = certain(ord("?") + 6)
    assert prepare.readable(logits, inputs["text"])[1] == "a\ufffd?"
    logits[:, 4:] = np.nan  # where no byte is masked
    assert prepare.readable(logits, inputs)[0] == "acb"


def test_in_pipelines_and_in_functions_of_open_sizes():
    prepare = TextPreparation(12, special_tokens=True)
    texts, others = ["a[MASK]", "", "bc" * 9], ["é", "dd" * 9, ""]
    wanted = prepare(texts, others)
    pipeline = tf.data.Dataset.from_tensor_slices((texts, others)).map(prepare)
    assert pipeline.element_spec["text_mask"] == tf.TensorSpec((12,), "bool")
    (batch,) = pipeline.batch(3)
    spec = tf.TensorSpec((None,), "string")
    served = tf.function(prepare, input_signature=[spec, spec])(texts, others)
    for key, value in wanted.items():
        np.testing.assert_array_equal(batch[key], value)
        np.testing.assert_array_equal(served[key], value)
    assert served["text"].shape == (3, 12)
    one = tf.function(prepare, input_signature=[tf.TensorSpec((), "string")])("a")
    np.testing.assert_array_equal(one["text"], prepare("a")["text"])


@pytest.mark.parametrize("masked", [False, True])
def test_a_model_fills_text_in(masked, tmp_path):
    (tmp_path / "text.txt").write_text("some tea [MASK][MASK]", encoding="utf-8")
    small = {"dim": 8, "num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}
    model = kp.build_masked_language_model(16, masked=masked, **small)
    prepare = TextPreparation(16)
    inputs = prepare.from_file(tmp_path / "text.txt")
    (answer,) = prepare.readable(model(inputs), inputs)
    assert answer.startswith("some tea ")
    (predicted,) = prepare.readable(model.predict(inputs, verbose=0), inputs)
    assert predicted == answer


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: TextPreparation(8)(3.5), "`texts` must be one string or a vector of them"),
        (lambda: TextPreparation(8)([["a"]]), r"`texts` must be .* shape \(1, 1\)"),
        (lambda: TextPreparation(8)(None), "`texts` must be strings"),
        (lambda: TextPreparation(8)("a", "b"), "`pairs` needs special_tokens=True"),
        (
            lambda: TextPreparation(8, True)(["a", "b"], ["a"]),
            r"`pairs` must have the shape of `texts`, \(2,\). Received: \(1,\)",
        ),
        (lambda: TextPreparation(2, special_tokens=True), "`max_length` .* at least 3"),
        (lambda: TextPreparation(mask_token=""), "`mask_token` must be one character or more"),
        (lambda: TextPreparation(special_tokens=1), "`special_tokens` must be True or False"),
        (
            lambda: TextPreparation(8).readable(np.zeros((1, 8, 9)), np.zeros((1, 8), int)),
            r"`logits` must have shape \(1, 8, 262\). Received: shape \(1, 8, 9\)",
        ),
        (
            lambda: TextPreparation(8).readable(np.zeros((1, 8, 262)), np.zeros((1, 8))),
            "`inputs` must be what the layer returned",
        ),
        (
            lambda: TextPreparation(8).readable(np.zeros((1, 8, 262)), {"ids": 3}),
            "`inputs` must be what the layer returned",
        ),
        (
            lambda: TextPreparation(8).readable(
                np.full((1, 8, 262), np.nan), np.full((1, 8), MASK, "int32")
            ),
            "`logits` must be finite numbers",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("bad", [b"\xff", b"a\xc3", b"\xed\xa0\x80"])
def test_bytes_that_are_no_text(bad):
    with pytest.raises(tf.errors.InvalidArgumentError, match="`texts` must be texts in UTF-8"):
        TextPreparation(8)([b"a", bad])
