import collections
import importlib.util
import pathlib

import pytest

from keras_perceiver.data.sources.language_bytes import LANGUAGES, _texts
from tests.data.sources.prepared import column, counts, prepared, read, skip_without

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("language_bytes", tmp_path_factory.mktemp("data"))


def test_languages_are_those_with_more_than_300_texts():
    skip_without("django")
    (root,) = importlib.util.find_spec("django").submodule_search_locations
    texts = _texts(sorted(pathlib.Path(root).rglob("LC_MESSAGES/*.mo")))
    assert sorted(name for name, known in texts.items() if len(known) > 300) == LANGUAGES
    assert len(LANGUAGES) == 79


def test_no_sentence_is_in_two_splits_in_any_language(builder):
    assert counts(builder) == {"train": 40711, "validation": 5102, "test": 5099}
    messages = {split: set(column(builder, split, "message")) for split in counts(builder)}
    assert sum(map(len, messages.values())) == len(set().union(*messages.values()))


def test_no_text_is_there_twice_or_without_a_letter(builder):
    texts = [text.decode() for split in counts(builder) for text in column(builder, split, "text")]
    assert len(set(texts)) == len(texts) == 50912
    for nothing in ("%d", "%(count)d", ":", "…", "{}"):
        assert nothing not in texts
    assert any("%(name)s" in text for text in texts)
    assert all(any(character.isalpha() for character in text) for text in texts)


def test_labels(builder):
    names = builder.info.features["label"].names
    found = {
        split: collections.Counter(names[label] for label in column(builder, split, "label"))
        for split in counts(builder)
    }
    assert all(set(of_split) == set(LANGUAGES) for of_split in found.values())
    assert min(sum(found.values(), collections.Counter()).values()) > 300
    assert min(found["test"].values()) >= 20
    text_of = {
        (names[e["label"]], e["message"].decode()): e["text"].decode()
        for split in found
        for e in read(builder, split)
    }
    assert text_of["de", "Wednesday"] == "Mittwoch" and text_of["fr", "Wednesday"] == "mercredi"
    assert text_of["el", "Wednesday"] == "Τετάρτη" and text_of["ja", "Wednesday"] == "水曜日"
    assert text_of["en", "Wednesday"] == "Wednesday"
