"""Weights of one model in another: what is taken, what is fresh, what is frozen."""

import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import randomize, to_numpy

SIZES = {
    "num_latents": 4,
    "latent_dim": 16,
    "num_self_attends_per_block": 2,
    "num_self_attention_heads": 2,
}


def by_path(model):
    return {weight.path: np.array(to_numpy(weight)) for weight in model.weights}


@pytest.fixture(scope="module")
def language():
    return randomize(kp.build_masked_language_model(11, dim=16, **SIZES))


def test_a_classifier_of_shorter_texts_from_a_language_model(language):
    classifier = kp.build_classifier(kp.Text(7, dim=16), 3, **SIZES)
    before, source = by_path(classifier), by_path(language)
    report = kp.transfer(language, classifier)
    after = by_path(classifier)
    assert report.resized == ["text_inputs/positions/table"]
    assert len(report.taken) == len(classifier.encoder.weights) - 1
    for path in report.taken:
        np.testing.assert_array_equal(after[path], source[path])
    for path in report.fresh:
        np.testing.assert_array_equal(after[path], before[path])
    assert {*report.taken, *report.resized, *report.fresh} == set(after)
    np.testing.assert_array_equal(
        after["text_inputs/positions/table"], source["text_inputs/positions/table"][:7]
    )
    assert report.left == [] and report.frozen == []
    assert "fresh: " in str(report) and "classes_head" in str(report)


def test_latents_alone_for_other_inputs(language):
    image = kp.build_classifier(kp.Image(6, 6, 1), 3, **SIZES)
    report = kp.transfer(language, image, part="latents")
    assert {path.partition("/")[0] for path in report.taken} == {"latents", "latent_transformer"}
    after, source = by_path(image), by_path(language)
    for path in report.taken:
        np.testing.assert_array_equal(after[path], source[path])


def test_more_modalities(language):
    """The text is read as before; the cross-attention, which is wider, starts anew."""
    both = kp.build_perceiver_io(
        {"text": kp.Text(11, dim=16), "image": kp.Image(6, 6, 1)}, kp.Classes(3), **SIZES
    )
    report = kp.transfer(language, both)
    taken = {path.partition("/")[0] for path in report.taken}
    assert {"text_inputs", "latents", "latent_transformer"} <= taken
    assert any(path.startswith("encoder_cross_attention/attention/key") for path in report.fresh)
    assert any(path.startswith("encoder_cross_attention/") for path in report.left)


def test_everything_into_another_head(language):
    other = kp.build_masked_language_model(11, dim=16, **SIZES)
    report = kp.transfer(language, other, part="all")
    assert report.fresh == [] and report.left == []
    after, source = by_path(other), by_path(language)
    assert all((after[path] == source[path]).all() for path in source)


def test_images_of_another_size():
    options = {"positions": "learned", "position_dim": 8}
    small = randomize(kp.build_classifier(kp.Image(4, 6, 1, **options), 3, **SIZES))
    large = kp.build_classifier(kp.Image(8, 9, 1, **options), 3, **SIZES)
    small_table = small.encoder.get_layer("image_inputs").encoding.table
    small_table.assign(np.full(small_table.shape, 3000.0))
    report = kp.transfer(small, large, part="all")
    assert report.resized == ["image_inputs/positions/table"] and report.fresh == []
    table = by_path(large)["image_inputs/positions/table"]
    np.testing.assert_allclose(table, 3000.0, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_what_is_frozen_is_not_trained(language):
    classifier = kp.build_classifier(kp.Text(11, dim=16), 3, **SIZES)
    report = kp.transfer(language, classifier, freeze=True)
    assert {"latents", "latent_transformer", "encoder_cross_attention"} <= set(report.frozen)
    before = by_path(classifier)
    ids = np.random.default_rng(0).integers(6, 200, (8, 11))
    classifier.fit(ids, np.arange(8) % 3, verbose=0)
    after = by_path(classifier)
    for path in report.taken:
        np.testing.assert_array_equal(after[path], before[path])
    assert any((after[path] != before[path]).any() for path in report.fresh)


def test_what_cannot_be_taken_is_explained(language):
    other = kp.build_classifier(kp.Points(5), 3, **{**SIZES, "latent_dim": 8, "num_latents": 3})
    before = by_path(other)
    with pytest.raises(ValueError, match="`from_model` has nothing that `to_model` could take"):
        kp.transfer(language, other, part="latents")
    after = by_path(other)
    assert all((after[path] == before[path]).all() for path in before)
    with pytest.raises(ValueError, match="`part` must be one of"):
        kp.transfer(language, other, part="decoder")
    with pytest.raises(ValueError, match="`to_model` must be a Perceiver"):
        kp.transfer(language, None)
    with pytest.raises(ValueError, match="`freeze` must be True or False"):
        kp.transfer(language, other, freeze="encoder")
