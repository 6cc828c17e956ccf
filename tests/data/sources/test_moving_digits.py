import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from keras_perceiver.data.sources.moving_digits import MovingDigits, _images


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Arrays of 600 training and 400 test examples."""
    builder = MovingDigits(data_dir=tmp_path_factory.mktemp("data"))
    found = {}
    for split, count in (("train", 600), ("test", 400)):
        every = [builder.made(i, split, np.random.default_rng([count, i])) for i in range(count)]
        found[split] = {key: np.stack([e[key] for e in every]) for key in every[0]}
    return found


def test_labels_are_balanced_and_independent(made):
    for part in made.values():
        pairs = np.stack([part["digit"], part["tone"]])
        counts = np.unique(pairs, axis=1, return_counts=True)[1]
        assert len(counts) == 100 and set(counts) == {len(part["digit"]) // 100}
        for heard_or_seen in ("digit", "tone"):  # each class of one has all classes of the other
            pairs = np.stack([part["joint"], part[heard_or_seen]])
            counts = np.unique(pairs, axis=1, return_counts=True)[1]
            assert len(counts) == 50 and set(counts) == {len(part["digit"]) // 50}
        np.testing.assert_array_equal(part["joint"], (part["digit"] + part["tone"]) % 5)
        rows = np.arange(len(part["labels"]))
        for first, name in ((0, "digit"), (10, "tone"), (20, "joint")):
            assert (part["labels"][rows, first + part[name]] == 1).all()
        assert (part["labels"].sum(1) == 3).all()


def spectrum(part):
    return np.log(np.abs(np.fft.rfft(part["audio"][..., 0]))[:, 150:800] + 1)


def film(part):
    """The digit cut out at its brightest place, from the first picture."""
    cut = []
    for picture in part["video"][:, 0, :, :, 0].astype(float):
        windows = np.lib.stride_tricks.sliding_window_view(picture, (8, 8))
        top, left = divmod(int(windows.sum((2, 3)).argmax()), windows.shape[1])
        cut.append(windows[top, left].reshape(-1) / 255)
    return np.array(cut)


def score(made, features, label):
    model = RidgeClassifier(10.0)
    model.fit(features(made["train"]), made["train"][label])
    return model.score(features(made["test"]), made["test"][label])


def test_each_label_is_in_the_modality_that_it_is_said_to_be_in(made):
    assert score(made, spectrum, "tone") > 0.9
    assert score(made, film, "digit") > 0.5
    assert score(made, spectrum, "digit") < 0.2 > score(made, film, "tone")
    assert score(made, spectrum, "joint") < 0.3 > score(made, film, "joint")

    def both(part):  # a sum of a score for the sound and one for the film
        return np.eye(10)[part["digit"]], np.eye(10)[part["tone"]]

    assert score(made, lambda part: np.concatenate(both(part), 1), "joint") < 0.3

    def pairs(part):  # early fusion
        return np.einsum("ni,nj->nij", *both(part)).reshape(-1, 100)

    assert score(made, pairs, "joint") == 1


def test_splits_have_different_digits():
    for digit in range(10):
        parts = [
            {image.tobytes() for image in _images(digit, split)}
            for split in ("train", "validation", "test")
        ]
        assert not parts[0] & parts[1] and not parts[1] & parts[2] and not parts[0] & parts[2]
        assert all(len(part) >= 20 for part in parts)


def test_digits_move_and_stay_whole(made):
    builder = MovingDigits(size=14)
    for i in range(20):
        example = builder.made(i, "train", np.random.default_rng(i))
        bright = example["video"][..., 0] > 100
        ink = bright.sum((1, 2))
        assert ink.min() == ink.max() > 5  # nothing is cut off
        places = [np.argwhere(picture).mean(0) for picture in bright]
        steps = np.abs(np.diff(places, axis=0))
        assert steps.max() <= 4 and steps.sum() > 3
    at_rest = MovingDigits(size=8).made(3, "train", np.random.default_rng(0))["video"]
    assert at_rest.shape == (8, 8, 8, 1)


def test_sound_is_heard_for_half_of_the_time(made):
    part = made["train"]
    assert np.abs(part["audio"]).max() <= 1
    windows = part["audio"][..., 0].reshape(len(part["audio"]), 16, -1)
    loud = (windows.std(-1) > 0.13).mean(1)
    assert loud.min() >= 0.4 and loud.mean() < 0.95
