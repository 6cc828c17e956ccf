"""Pipelines by the name of a data set."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("tensorflow_datasets")

import keras_perceiver as kp
from keras_perceiver.data import sources
from keras_perceiver.data.recipes import RECIPES, pictures, series

BROKEN = 3


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    module = "tests.data.tiny_builders"
    monkeypatch.setitem(sources.BUILDERS, "tiny_pictures", f"{module}:TinyPictures")
    monkeypatch.setitem(sources.BUILDERS, "tiny_series", f"{module}:TinySeries")
    for config in ("whole", "broken"):
        monkeypatch.setitem(RECIPES, f"tiny_pictures/{config}", (pictures.pictures, {}))
    monkeypatch.setitem(RECIPES, "tiny_series", (series.series, {"longest": 23}))


@pytest.fixture
def load(data_dir):
    def load(*arguments, **options):
        return kp.data.load(*arguments, data_dir=data_dir, **options)

    return load


def labels(pipeline):
    return np.concatenate([batch[1].numpy() for batch in pipeline])


def marks(pipeline):
    """The number of each picture, which is its pixel value less one."""
    levels = np.concatenate([np.asarray(batch[0])[:, 0, 0, 0] for batch in pipeline])
    return np.round(levels * 255).astype(int) - 1


def test_each_example_once_in_another_order_each_epoch(load):
    train = load("tiny_pictures/whole", size=12, batch_size=8, seed=3)
    first, second = marks(train), marks(train)
    assert sorted(first) == sorted(second) == list(range(37))
    assert list(first) != list(second) and list(first) != list(range(37))
    again = load("tiny_pictures/whole", size=12, batch_size=8, seed=3)
    assert list(marks(again)) == list(first) and list(marks(again)) == list(second)
    other = load("tiny_pictures/whole", size=12, batch_size=8, seed=4)
    assert list(marks(other)) != list(first)
    test = load("tiny_pictures/whole", "test", size=12)
    assert list(marks(test)) == list(marks(test))


def test_pictures_are_resized_and_scaled(load):
    (images, targets), *_ = load("tiny_pictures/whole", "test", size=(5, 7), batch_size=2)
    assert images.shape == (2, 5, 7, 3) and images.dtype == tf.float32
    assert targets.dtype == tf.int32
    np.testing.assert_allclose(images * 255, np.round(images * 255), atol=1e-4)


@pytest.mark.slow
def test_the_recipe_is_what_a_model_needs(load, data_dir):
    recipe = kp.data.recipe("tiny_pictures/whole", data_dir=data_dir, size=16)
    assert recipe.inputs == (16, 16, 3) and recipe.num_classes == 3
    assert recipe.class_names == ("ant", "bee", "cat")
    model = kp.build_classifier(recipe.inputs, recipe.num_classes, num_latents=4, latent_dim=16)
    model.run_eagerly = True
    train = load(recipe, batch_size=8)
    history = model.fit(train, validation_data=load(recipe, "validation"), verbose=0)
    assert np.isfinite(history.history["val_loss"]).all()


@pytest.mark.parametrize("cache", [False, True])
def test_a_broken_example_stops_with_its_name(load, cache):
    train = load("tiny_pictures/broken", size=12, batch_size=4, cache=cache)
    with pytest.raises(tf.errors.InvalidArgumentError, match="tiny_pictures-train.*__") as error:
        marks(train)
    assert "corrupt to skip" in str(error.value) and "tiny_pictures/broken" in str(error.value)


def test_broken_examples_are_skipped_and_counted(load):
    train = load("tiny_pictures/broken", size=12, batch_size=4, corrupt="skip")
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = marks(train)
        assert sorted(found) == sorted(set(range(37)) - {3, 5, 17})
        said = [str(warning.message) for warning in caught]
        assert any(f"{BROKEN} of 37 examples of tiny_pictures/broken" in text for text in said)
        assert any("tiny_pictures-train" in text for text in said)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        marks(load("tiny_pictures/whole", size=12, corrupt="skip"))


def test_own_preparation_and_augmentation(load):
    def prepare(pixels):
        return tf.cast(pixels[:3, :3], tf.float32) + 1000

    def augment(images, seed):
        return images + tf.random.stateless_uniform(tf.shape(images)[:1], seed)[:, None, None, None]

    options = {"size": 12, "prepare": prepare, "augment": augment, "batch_size": 5, "seed": 1}
    pipeline = load("tiny_pictures/whole", **options)
    first = np.concatenate([x for x, _ in pipeline])
    second = np.concatenate([x for x, _ in pipeline])
    again = np.concatenate([x for x, _ in load("tiny_pictures/whole", **options)])
    assert first.shape == (37, 3, 3, 3) and first.min() > 1000
    np.testing.assert_array_equal(first, again)
    assert np.abs(np.sort(first.ravel()) - np.sort(second.ravel())).max() > 0


def test_augmentation_of_labels_too(load):
    def mixed(images, labels, seed):
        return kp.data.mix_up(images, labels, seed, num_classes=3)

    pipeline = load("tiny_pictures/whole", "test", size=12, augment=mixed, batch_size=4)
    images, targets = next(iter(pipeline))
    assert images.shape == (2, 12, 12, 3)
    np.testing.assert_allclose(targets.numpy().sum(axis=1), 1, rtol=1e-5)


def test_workers_get_equal_parts_without_overlap(load):
    parts = [
        marks(load("tiny_pictures/whole", size=12, shuffle=False, worker=(i, 3))) for i in range(3)
    ]
    assert [len(part) for part in parts] == [12, 12, 12]
    assert len(set(np.concatenate(parts))) == 36


def test_unequal_lengths_have_masks_or_buckets(load):
    (inputs, _), *_ = load("tiny_series", "test", length=13)
    lengths = inputs["series_mask"].numpy().sum(axis=1)
    assert sorted(lengths) == list(range(1, 12)) and inputs["series"].shape == (11, 13, 2)
    assert (inputs["series"].numpy()[~inputs["series_mask"].numpy()] == 0).all()

    shapes, seen = set(), []
    for inputs, _ in load("tiny_series", "train[:100%]", buckets=(4, 11, 23), batch_size=3):
        mask, values = inputs["series_mask"].numpy(), inputs["series"].numpy()
        shapes.add(mask.shape[1])
        seen.extend(mask.sum(axis=1))
        np.testing.assert_array_equal(values[..., 0] >= 1000, mask)
        smaller = [bound for bound in (0, 4, 11, 23) if bound < mask.shape[1]]
        assert mask.sum(axis=1).min() > smaller[-1]
    assert shapes == {4, 11, 23} and sorted(seen) == list(range(1, 24))


@pytest.mark.slow
def test_open_series_train(load, data_dir):
    recipe = kp.data.recipe("tiny_series", data_dir=data_dir)
    model = kp.build_classifier(recipe.inputs, 2, num_latents=4, latent_dim=16)
    train = load("tiny_series", buckets=(8, 23), batch_size=4)
    assert np.isfinite(model.fit(train, verbose=0).history["loss"]).all()


def test_tf_data_service_with_two_local_workers(load):
    service = tf.data.experimental.service
    dispatcher = service.DispatchServer()
    address = dispatcher.target.split("://")[1]
    workers = [
        service.WorkerServer(service.WorkerConfig(dispatcher_address=address)) for _ in range(2)
    ]
    shared = load("tiny_pictures/whole", size=12, batch_size=4, service=dispatcher.target)
    assert sorted(marks(shared)) == list(range(37))
    assert shared.cardinality() == 10
    assert len(workers) == 2


@pytest.mark.slow
def test_training_resumes_where_it_was(load, tmp_path):
    def trained(directory, *epochs):
        for number in epochs:
            model = build()
            train = load("tiny_pictures/whole", size=12, batch_size=8, drop_remainder=True, seed=5)
            kp.training.fit(
                model, train, epochs=number, directory=directory, steps_per_epoch=4, verbose=0
            )
        return model.get_weights()

    def build():
        import keras

        keras.utils.set_random_seed(1)
        return kp.build_classifier((12, 12, 3), 3, num_latents=4, latent_dim=16)

    whole = trained(tmp_path / "whole", 3)
    resumed = trained(tmp_path / "resumed", 1, 3)
    for one, other in zip(whole, resumed):
        np.testing.assert_array_equal(one, other)


def refused(match, error, *arguments, **options):
    with pytest.raises(error, match=match):
        kp.data.load(*arguments, **options)


def test_what_is_refused_says_why(load, data_dir, tmp_path):
    refused("'mnist'", ValueError, "mnits")
    refused("names", ValueError, "no such thing at all")
    refused("'test', 'train', 'validation'", ValueError, "tiny_pictures/whole", "trian",
            data_dir=data_dir, size=12)  # fmt: skip
    refused("not prepared", ValueError, "mnist", data_dir=tmp_path, download=False)
    refused("source_dir", ValueError, "mnist", source_dir=tmp_path)
    refused("size", ValueError, "tiny_pictures/whole", data_dir=data_dir)
    refused("at least one example", ValueError, "tiny_pictures/whole", "test[:0%]",
            data_dir=data_dir, size=12)  # fmt: skip
    refused("buckets", ValueError, "tiny_series", data_dir=data_dir)
    refused("no argument `siez`.*`size`", TypeError, "tiny_pictures/whole", siez=3)
    refused("worker", ValueError, "tiny_pictures/whole", size=12, worker=(2, 2))
    refused("corrupt", ValueError, "tiny_pictures/whole", size=12, corrupt="ignore")
    assert not list(tmp_path.iterdir())


def test_a_data_set_that_cannot_be_prepared_leaves_nothing(tmp_path, monkeypatch):
    from tests.data import tiny_builders

    def fail(self, name, count):
        yield 0, {"image": np.zeros((3, 3, 3), np.uint8), "label": 0}
        raise OSError("the disk is full")

    monkeypatch.setattr(tiny_builders.TinyPictures, "_generate_examples", fail)
    with pytest.raises(OSError, match="disk is full"):
        kp.data.load("tiny_pictures/whole", size=12, data_dir=tmp_path)
    assert not list(tmp_path.rglob("*.tfrecord*"))
