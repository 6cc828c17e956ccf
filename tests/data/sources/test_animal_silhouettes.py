import numpy as np
import pytest

from tests.data.sources.prepared import column, counts, prepared

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("animal_silhouettes", tmp_path_factory.mktemp("data"))


def test_each_animal_has_its_share_in_each_split(builder):
    assert counts(builder) == {"train": 7998, "validation": 1006, "test": 996}
    labels = {split: np.bincount(column(builder, split, "label")) for split in counts(builder)}
    np.testing.assert_array_equal(sum(labels.values()), np.full(10, 1000))
    for split, share in (("train", 800), ("validation", 100), ("test", 100)):
        assert np.abs(labels[split] - share).max() <= 25


def test_images_are_those_of_the_package(builder):
    import gzip
    import importlib.util
    import pickle

    (root,) = importlib.util.find_spec("animal_mnist").submodule_search_locations
    with gzip.open(f"{root}/data/Animal_MNIST/animal_data_version_3.gz") as file:
        known = sorted(image.tobytes() for image in pickle.load(file))
    found = [image for split in counts(builder) for image in column(builder, split, "image")]
    assert found[0].shape == (28, 28, 1) and found[0].dtype == "uint8"
    assert sorted(image.tobytes() for image in found) == known
    assert len(known) - len(set(known)) == 284  # copies


def small(images):
    """Rows of pixels at half the resolution."""
    images = np.array(images, "float32")[..., 0]
    return images.reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, 196)


def nearest(images, others):
    """For each image the root mean square difference to the nearest of the others."""
    images, others = small(images), small(others)
    return np.array([np.sqrt(((others - image) ** 2).mean(1).min()) for image in images])


def test_no_test_image_has_a_near_duplicate_in_train(builder):
    images = {split: column(builder, split, "image") for split in counts(builder)}
    apart = nearest(images["test"], images["train"])
    assert apart.min() > 19.99  # grey levels
    assert nearest(images["validation"], images["train"]).min() > 19.99
    assert nearest(images["test"], images["validation"]).min() > 19.99
    # Without groups there would be: 5 % of all images are nearer than that to another.
    train = images["train"]
    assert (nearest(train[::10], train[1::2]) < 15).any()
