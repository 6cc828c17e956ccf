import numpy as np
import pytest

from tests.data.sources.prepared import column, counts, prepared


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("optical_digits", tmp_path_factory.mktemp("data"))


def test_sizes_and_labels(builder):
    assert counts(builder) == {"train": 1438, "validation": 180, "test": 179}
    for split, per_label in (("train", (139, 147)), ("validation", (17, 19)), ("test", (17, 19))):
        found = np.bincount(column(builder, split, "label"), minlength=10)
        assert found.min() >= per_label[0] and found.max() <= per_label[1]


def test_they_are_scikit_learns_with_the_right_labels(builder):
    from sklearn.datasets import load_digits

    bundled = load_digits()
    known = {image.tobytes(): label for image, label in zip(bundled.images, bundled.target)}
    seen = []
    for split in builder.info.splits:
        images, labels = column(builder, split, "image"), column(builder, split, "label")
        assert images[0].shape == (8, 8, 1) and images[0].dtype == "uint8"
        assert np.max(images) == 255 and np.min(images) == 0
        for image, label in zip(images, labels):
            original = np.round(image[..., 0] * (16 / 255)).tobytes()
            assert known[original] == label
            seen.append(original)
    assert sorted(seen) == sorted(known)  # each once: nothing is in two splits
