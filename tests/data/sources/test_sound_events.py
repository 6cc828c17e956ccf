import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from keras_perceiver.data.sources.sound_events import EVENTS, SoundEvents, _event


@pytest.fixture(scope="module")
def made():
    builder = SoundEvents(num_samples=4000)
    found = [builder.made(i, "train", np.random.default_rng([9, i])) for i in range(768)]
    return np.stack([e["audio"][:, 0] for e in found]), np.stack([e["labels"] for e in found])


def test_every_set_of_events_comes_equally_often(made):
    sounds, labels = made
    counts = np.unique(labels, axis=0, return_counts=True)[1]
    assert len(counts) == 64 and set(counts) == {12}
    assert labels.mean(0).tolist() == [0.5] * 6
    assert np.abs(sounds).max() <= 1
    silent = sounds[labels.sum(1) == 0]
    assert silent.std() < 0.06 < 0.1 < sounds[labels.sum(1) == 1].std()


def pictures(sounds):
    """Mean levels in 8 times and 25 bands of each sound."""
    levels = np.abs(np.fft.rfft(sounds.reshape(len(sounds), 8, -1) * np.hanning(500)))
    return np.log(levels[:, :, :250].reshape(-1, 8, 25, 10).mean(-1) + 0.1)


def test_a_simple_baseline_is_above_chance_and_below_one(made):
    sounds, labels = made
    spectra = np.concatenate([pictures(sounds).mean(1), pictures(sounds).max(1)], 1)
    spectra = StandardScaler().fit_transform(spectra)
    scores = {}
    for name, present in zip(EVENTS, labels.T):
        model = LogisticRegression(C=0.1).fit(spectra[:512], present[:512])
        scores[name] = model.score(spectra[512:], present[512:])
    assert min(scores["hum"], scores["noise_burst"]) > 0.7
    assert 0.6 < np.mean(list(scores.values())) < 0.95


def test_only_the_order_tells_rising_from_falling():
    rising, falling = (
        _event(name, 2000, 8000, np.random.default_rng(3))
        for name in ("rising_chirp", "falling_chirp")
    )
    np.testing.assert_array_equal(rising, falling[::-1])
    half = [np.argmax(np.abs(np.fft.rfft(part))) for part in np.split(rising, 2)]
    assert half[0] < half[1]


@pytest.mark.parametrize("name", EVENTS)
def test_events_are_different_each_time(name):
    random = np.random.default_rng(0)
    one, other = _event(name, 1000, 8000, random), _event(name, 1000, 8000, random)
    assert np.isfinite(one).all() and one.std() > 0 and not np.array_equal(one, other)
