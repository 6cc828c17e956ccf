import numpy as np
import pytest

from tests.data.sources.prepared import column, counts, prepared


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("face_patches", tmp_path_factory.mktemp("data"))


def test_sizes_and_labels(builder):
    assert counts(builder) == {"train": 150, "test": 50}
    for split, each in (("train", 75), ("test", 25)):
        np.testing.assert_array_equal(np.bincount(column(builder, split, "label")), [each, each])
    images = column(builder, "train", "image") + column(builder, "test", "image")
    assert images[0].shape == (25, 25, 1) and images[0].dtype == "uint8"
    assert len({image.tobytes() for image in images}) == 200
    assert np.min(images) == 0 and np.max(images) == 255


def test_label_1_is_a_face(builder):
    """In the mean face the cheeks are brighter than the eyes above them, in the others not."""
    images = np.array(column(builder, "train", "image"), "float32")[..., 0]
    labels = np.array(column(builder, "train", "label"))
    face, other = images[labels == 1].mean(0), images[labels == 0].mean(0)
    eyes, cheeks = np.ix_([8], [6, 16]), np.ix_([12], [6, 16])
    assert face[cheeks].mean() - face[eyes].mean() > 40
    assert abs(other[cheeks].mean() - other[eyes].mean()) < 20
    assert builder.info.features["label"].int2str(1) == "face"
