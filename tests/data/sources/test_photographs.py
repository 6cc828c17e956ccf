import pytest

from tests.data.sources.prepared import column, counts, prepared


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("photographs", tmp_path_factory.mktemp("data"))


def test_photographs(builder):
    assert counts(builder) == {"train": 7, "test": 3}
    names = {split: set(column(builder, split, "name")) for split in ("train", "test")}
    assert names["test"] == {b"chelsea", b"flower", b"rocket"}
    assert len(names["train"]) == 7 and not names["train"] & names["test"]
    sizes = {}
    for split in names:
        for name, image in zip(column(builder, split, "name"), column(builder, split, "image")):
            assert image.dtype == "uint8" and image.std() > 20
            assert abs(image[..., 0].astype(int) - image[..., 2]).mean() > 3  # coloured
            sizes[name] = image.shape
    assert sizes[b"chelsea"] == (300, 451, 3) and sizes[b"retina"] == (1411, 1411, 3)
    assert min(min(s[:2]) for s in sizes.values()) == 300
    assert max(max(s[:2]) for s in sizes.values()) == 1411
