"""One configuration, unchanged, for pictures, sound, video, text, points, series, units and tables.

    python examples/papers/one_configuration.py               (one seed, seven minutes)
    python examples/papers/one_configuration.py --seeds 3 --results examples/results

The same builder is called with the same sizes, the same learning rate, number of steps and batch
size for all nine data sets. Only the descriptions of what goes in and what comes out differ, and
they are those of `kp.data.recipe` (for a table, of `kp.data.describe_table`): no architecture is
chosen, nothing is tuned for one of them. Descriptions do say how raw values become inputs: a bare
shape of pictures is read through a small convolution, sound as a mel spectrogram, video in patches.

Scores are on test splits: accuracy, and for sounds and films, which have several labels, the mean
average precision over labels. Beside each: the majority class (chance, for average precision), and
a simple baseline, logistic regression on

- pictures: the pixels; sound: mean and deviation of a spectrogram; video: the mean picture and the
  spectrum; points: how often distances between points occur; series and wearables: statistics of
  each channel; entities: the mean unit of each side; table: the standardised columns;
- text: frequencies of one to three bytes, by naive Bayes, since there are 79 classes.

Score, mean of three seeds (least to most), 200 steps:

    Perceiver, pictures                0.839 (0.825 to 0.854)
    simple baseline, pictures          0.777
    majority, pictures                 0.100
    Perceiver, sound                   0.992
    simple baseline, sound             0.887
    majority, sound                    0.500
    Perceiver, video with sound        0.233 (0.200 to 0.285)
    simple baseline, video with sound  0.536
    majority, video with sound         0.120
    Perceiver, text                    0.434 (0.430 to 0.437)
    simple baseline, text              0.783
    majority, text                     0.017
    Perceiver, points                  0.999 (0.998 to 1.000)
    simple baseline, points            0.972
    majority, points                   0.100
    Perceiver, series                  0.981
    simple baseline, series            0.978
    majority, series                   0.119
    Perceiver, wearables               0.690 (0.643 to 0.714)
    simple baseline, wearables         0.750
    majority, wearables                0.143
    Perceiver, entities                0.527 (0.507 to 0.541)
    simple baseline, entities          0.532
    majority, entities                 0.500
    Perceiver, table                   0.956 (0.947 to 0.965)
    simple baseline, table             0.965
    majority, table                    0.632

The claim does not show: at least +0.027 against the majority on each of 9 data sets; above the
simple baseline on 4 of them (-0.349 to +0.104).
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from experiment import Experiment, arrays, fit, run
from point_clouds import distances
from sklearn.datasets import load_breast_cancer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from time_series import statistics

import keras_perceiver as kp

BATCH = 32
CONFIGURATION = {
    "num_latents": 32,
    "latent_dim": 128,
    "num_self_attends_per_block": 2,
    "num_cross_attention_heads": 4,
    "num_self_attention_heads": 4,
    "qk_channels": 128,
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
}


@dataclasses.dataclass
class Modality:
    """A data set, and what the simple baseline sees of it.

    Args:
        dataset: Name of the data set.
        features: Function of the model's inputs, as arrays, to an array `(count, features)`.
        sizes: As of `kp.data.recipe`.
        simple: The baseline; default: logistic regression.
    """

    dataset: str
    features: Callable
    sizes: dict = dataclasses.field(default_factory=dict)
    simple: object = None

    def data(self, options, seed):
        """Training batches, test batches, inputs, outputs."""
        where = {"data_dir": options.data_dir}
        recipe = kp.data.recipe(self.dataset, **where, **self.sizes)
        train, test = (
            kp.data.load(recipe, split, batch_size=BATCH, seed=seed, cache=True, **where)
            for split in ("train", "test")
        )
        return train, test, recipe.inputs, recipe.outputs


class Table(Modality):
    """Breast cancer from scikit-learn, a fifth of it for testing."""

    def data(self, options, seed):
        rows, labels = load_breast_cancer(return_X_y=True)
        known, asked, *labels = train_test_split(
            rows, labels, test_size=0.2, random_state=0, stratify=labels
        )
        table = kp.data.describe_table(known)
        train, test = (
            kp.data.from_arrays(table(part), right, BATCH, shuffle=part is known, seed=seed)
            for part, right in zip((known, asked), labels)
        )
        return train, test, table.input, kp.Classes(2)


def scored(found, right):
    """Accuracy of scores `(count, classes)`, or mean average precision for several labels."""
    if right.ndim == 1:
        return np.mean(found.argmax(-1) == right)
    return average_precision_score(right, found, average="macro")


def perceiver(modality):
    def score(seed, options):
        train, test, inputs, outputs = modality.data(options, seed)
        model = kp.build_perceiver_io(inputs, outputs, **CONFIGURATION)
        fit(model, train, options.steps)
        found = [(model.predict_on_batch(x), np.asarray(y)) for x, y in test]
        return scored(*(np.concatenate(part) for part in zip(*found)))

    return score


def simple(modality):
    def score(seed, options):
        (known, labels), (asked, right) = map(arrays, modality.data(options, seed)[:2])
        model = modality.simple or make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, max_iter=300)
        )
        if labels.ndim == 2:
            model = OneVsRestClassifier(model)
        model.fit(modality.features(known), labels)
        return scored(model.predict_proba(modality.features(asked)), right)

    return score


def majority(modality):
    def score(seed, options):
        labels, right = (arrays(batches)[1] for batches in modality.data(options, seed)[:2])
        if labels.ndim == 2:
            return scored(np.zeros_like(right), right)
        return np.mean(right == np.bincount(labels).argmax())

    return score


def spectrum(samples):
    """Mean and deviation over time of the logarithm of a spectrogram, in frames of 128 samples."""
    frames = samples[..., 0][:, : samples.shape[1] // 128 * 128].reshape(len(samples), -1, 128)
    power = np.log(np.abs(np.fft.rfft(frames * np.hanning(128))) + 1e-3)
    return np.concatenate([power.mean(1), power.std(1)], axis=1)


def film(inputs):
    pictures = inputs["video"].mean(1).reshape(len(inputs["video"]), -1)
    return np.concatenate([pictures, spectrum(inputs["audio"])], axis=1)


def ngrams(ids):
    """Counts of one to three bytes beside each other, hashed."""
    texts = ["".join(map(chr, row[row > 0])) for row in ids]
    options = {"analyzer": "char", "lowercase": False, "alternate_sign": False, "norm": None}
    return HashingVectorizer(n_features=2**17, ngram_range=(1, 3), **options).transform(texts)


def known_steps(inputs):
    """`statistics` of series without their padding."""
    pairs = zip(inputs["series"], inputs["series_mask"])
    return statistics([series[mask] for series, mask in pairs])


def sides(inputs):
    """The mean unit of each of two sides, and of their products of features."""
    units, found = inputs["entities"], []
    for owner in (-1, 1):
        of_side = (units[..., 3] == owner)[..., None]
        products = (units[..., :, None] * units[..., None, :]).reshape(*units.shape[:2], -1)
        for values in (units, products):
            found.append((values * of_side).sum(1) / of_side.sum(1))
    return np.concatenate(found, axis=1)


def verdict(means):
    above = [means[f"Perceiver, {name}"] - means[f"majority, {name}"] for name in MODALITIES]
    ahead = [means[f"Perceiver, {name}"] - means[f"simple baseline, {name}"] for name in MODALITIES]
    better = sum(change > 0 for change in ahead)
    sentence = (
        f"at least {min(above):+.3f} against the majority on each of {len(above)} data sets; "
        f"above the simple baseline on {better} of them ({min(ahead):+.3f} to {max(ahead):+.3f})"
    )
    return min(above) > 0.1 and better > len(ahead) / 2, sentence


MODALITIES = {
    "pictures": Modality("animal_silhouettes", lambda pixels: pixels.reshape(len(pixels), -1)),
    "sound": Modality("sound_events", spectrum),
    "video with sound": Modality("moving_digits", film),
    "text": Modality("language_bytes", ngrams, simple=MultinomialNB()),
    "points": Modality("surface_points", distances),
    "series": Modality("time_series/japanese_vowels", known_steps, {"length": 29}),
    "wearables": Modality("smartwatch_exercises", known_steps, {"length": 512}),
    "entities": Modality("battlefields", sides),
    "table": Table("breast_cancer", lambda rows: rows),
}
VARIANTS = {
    f"{name}, {key}": score(modality)
    for key, modality in MODALITIES.items()
    for name, score in (
        ("Perceiver", perceiver),
        ("simple baseline", simple),
        ("majority", majority),
    )
}

EXPERIMENT = Experiment(
    name="one_configuration",
    title="One configuration for all modalities",
    claim="One architecture, without assumptions on its inputs, for images, point clouds, audio, "
    "video and their combinations (Perceiver, abstract), and for text, flow and units of a game "
    "(Perceiver IO, abstract)",
    unit="score",
    variants=VARIANTS,
    verdict=verdict,
    data="nine data sets; score: accuracy, or mean average precision over several labels",
    steps=200,
    baselines=tuple(name for name in VARIANTS if not name.startswith("Perceiver")),
)

if __name__ == "__main__":
    run(EXPERIMENT, __doc__)
