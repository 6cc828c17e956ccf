import collections

import pytest

from tests.data.sources.prepared import column, counts, prepared, read


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    return prepared("film_reviews", tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return prepared("film_reviews", tmp_path_factory.mktemp("data"), config="reviews_and_plots")


def test_sizes(reviews, everything):
    assert reviews.info.features["label"].names == ["rotten", "fresh"]
    assert everything.info.features["label"].names == ["rotten", "fresh", "plot"]
    assert reviews.builder_config.name == "reviews"  # by default
    assert counts(reviews) == {"train": 10223, "validation": 1272, "test": 1257}
    assert counts(everything) == {"train": 11081, "validation": 1377, "test": 1377}


@pytest.mark.slow
def test_labels(reviews, everything):
    names = everything.info.features["label"].names
    found = collections.Counter(
        names[label] for split in counts(everything) for label in column(everything, split, "label")
    )
    assert sum(found.values()) == 13835  # different texts
    assert found == {"fresh": 7368, "rotten": 5384, "plot": 1083}
    shares = [
        sum(column(reviews, split, "label")) / count for split, count in counts(reviews).items()
    ]
    assert max(shares) - min(shares) < 0.06  # of fresh reviews


def test_the_kind_follows_from_the_label(everything):
    for example in read(everything, "test"):
        assert (example["label"] == 2) == (example["kind"] == 1)


@pytest.mark.slow
def test_no_film_and_no_text_is_in_two_splits(reviews, everything):
    for feature in ("film", "text"):
        found = {split: set(column(everything, split, feature)) for split in counts(everything)}
        assert sum(map(len, found.values())) == len(set().union(*found.values()))
    for split in counts(reviews):  # and both configurations split alike
        assert set(column(reviews, split, "film")) <= set(column(everything, split, "film"))


def test_texts(everything):
    texts = [text.decode() for text in column(everything, "validation", "text")]
    assert all(text == text.strip() and text for text in texts)
    assert any("\n" in text for text in texts)  # plots have paragraphs
