"""Series of unequal lengths: what is padding, and what is data?

    python examples/papers/time_series.py                     (one seed, two minutes)
    python examples/papers/time_series.py --seeds 3 --results examples/results

Which of nine men says a vowel, from 7 to 29 steps of 12 coefficients; 270 series to train on, 370
to test (`kp.data.load("time_series/japanese_vowels")`). Each step is an input with its time as its
position, so that padding at the end moves nothing. The same model, from the same initial weights:

1. with masks: padded to 29 steps, and told which of them are padding;
2. padding as data: the same arrays without masks;
3. both again, tested with padding to 58 steps, as when a longer series is in the batch;
4. with masks, in batches of like length, padded to 12, 16, 20 or 29 steps (`kp.data.bucketed`).

Beside them: `kp.Series` as the recipe describes it, whose positions are relative to the padded
length, logistic regression on means, deviations and slopes, and the nearest neighbour by means. The
last rows are for series of one length (`italy_power_demand`, a summer's or a winter's day).

The papers have no series; this tries what their masks promise: an input that is masked counts for
nothing.

Accuracy, mean of three seeds (least to most), 300 steps:

    Perceiver, masks                                  0.979 (0.978 to 0.981)
    Perceiver, masks, tested with 58 steps            0.979 (0.978 to 0.981)
    Perceiver, padding as data                        0.966 (0.959 to 0.970)
    Perceiver, padding as data, tested with 58 steps  0.845 (0.808 to 0.876)
    Perceiver, masks, batches of like length          0.979 (0.976 to 0.981)
    Perceiver, kp.Series with masks                   0.975 (0.968 to 0.978)
    logistic regression                               0.981
    nearest neighbour                                 0.938
    majority                                          0.084
    Perceiver, equal lengths                          0.961 (0.952 to 0.967)
    logistic regression, equal lengths                0.756
    nearest neighbour, equal lengths                  0.955
    majority, equal lengths                           0.499

The claim shows: padding to 58 steps changes +0.000 with masks and -0.121 with padding as data;
batches of like length +0.000.
"""

import functools

import numpy as np
import tensorflow as tf
from experiment import Experiment, accuracy, fit, run
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import keras_perceiver as kp

BATCH = 32
LENGTHS = (12, 16, 20, 29)  # of batches of like length
LONGEST = 29
EQUAL = ", equal lengths"


@functools.cache
def standard(data_dir):
    """Mean and standard deviation of each channel over all steps of the training data."""
    series = kp.data.load(VOWELS, "train[:100%]", data_dir=data_dir, batch_size=None)
    steps = np.concatenate([np.asarray(inputs["series"]) for inputs, _ in series])
    return steps.mean(0), steps.std(0)


def timed(options, split, lengths, seed=0, masks=True):
    """Batches of steps with their time as position, padded to one of `lengths`."""
    mean, deviation = standard(options.data_dir)

    def with_time(inputs, label):
        values = (inputs["series"] - mean) / deviation
        time = tf.range(tf.shape(values)[0])
        return {"steps_features": values, "steps": time, "steps_mask": inputs["series_mask"]}, label

    def placed(inputs, label):
        # Also at padding, where `bucketed` has put zeros: without a mask it is data as any other.
        count, length = tf.shape(inputs["steps"])[0], tf.shape(inputs["steps"])[1]
        time = 2 * tf.range(length, dtype="float32") / (LONGEST - 1) - 1
        found = {**inputs, "steps": tf.repeat(time[None, :, None], count, axis=0)}
        if not masks:
            del found["steps_mask"]
        return found, label

    series = kp.data.load(
        VOWELS, split, data_dir=options.data_dir, batch_size=None, seed=seed, cache=True
    )
    return kp.data.bucketed(series.map(with_time), BATCH, lengths).map(placed)


def perceiver(masks=True, lengths=(LONGEST,), tested=(LONGEST,)):
    def score(seed, options):
        train = timed(options, "train[:100%]", lengths, seed, masks)
        steps = kp.Points(None, 1, 12, num_bands=14, max_resolution=LONGEST, masked=masks)
        model = kp.build_classifier({"steps": steps}, 9, **SIZES)
        fit(model, train, options.steps)
        return accuracy(model, timed(options, "test", tested, masks=masks))

    return score


def as_described(name, **sizes):
    """A Perceiver on what the recipe describes."""

    def score(seed, options):
        where = {"data_dir": options.data_dir}
        recipe = kp.data.recipe(name, **where, **sizes)
        train = kp.data.load(
            recipe, "train[:100%]", batch_size=BATCH, seed=seed, cache=True, **where
        )
        model = kp.build_classifier(recipe.inputs, recipe.num_classes, **SIZES)
        fit(model, train, options.steps)
        return accuracy(model, kp.data.load(recipe, "test", batch_size=BATCH, **where))

    return score


def ragged(options, name, split):
    """A list of arrays (steps, channels), each of its own length, and their labels."""
    series = kp.data.load(name, split, data_dir=options.data_dir, batch_size=None, shuffle=False)
    found = [(x["series"] if isinstance(x, dict) else x, y) for x, y in series]
    return [np.asarray(x) for x, _ in found], np.array([y for _, y in found])


def statistics(series):
    """Mean, deviation and slope of each channel, and the number of steps."""
    found = []
    for one in series:
        time = np.linspace(-1, 1, len(one))[:, None]
        slope = (one * time).mean(0) / (time**2).mean()
        found.append(np.concatenate([one.mean(0), one.std(0), slope, [len(one)]]))
    return np.stack(found)


def logistic(name):
    def score(seed, options):
        (known, labels), (asked, right) = (
            ragged(options, name, split) for split in ("train[:100%]", "test")
        )
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        return model.fit(statistics(known), labels).score(statistics(asked), right)

    return score


def nearest(name, equal):
    """By the means of channels; series of one length by all of their steps."""

    def features(series):
        return np.stack([one.reshape(-1) if equal else one.mean(0) for one in series])

    def score(seed, options):
        (known, labels), (asked, right) = (
            ragged(options, name, split) for split in ("train[:100%]", "test")
        )
        return KNeighborsClassifier(1).fit(features(known), labels).score(features(asked), right)

    return score


def majority(name):
    def score(seed, options):
        labels, right = (ragged(options, name, split)[1] for split in ("train[:100%]", "test"))
        return np.mean(right == np.bincount(labels).argmax())

    return score


def verdict(means):
    masks, longer, buckets = (means[name] for name in (MASKS, MASKS_58, LIKE))
    data, data_longer = means[DATA], means[DATA_58]
    sentence = (
        f"padding to 58 steps changes {longer - masks:+.3f} with masks and "
        f"{data_longer - data:+.3f} with padding as data; batches of like length "
        f"{buckets - masks:+.3f}"
    )
    same = abs(longer - masks) < 1e-6 and abs(buckets - masks) < 0.03
    return same and masks > data_longer + 0.05, sentence


VOWELS, DAYS = "time_series/japanese_vowels", "time_series/italy_power_demand"
SIZES = {"num_latents": 16, "latent_dim": 64, "num_self_attends_per_block": 1}
MASKS, MASKS_58 = "Perceiver, masks", "Perceiver, masks, tested with 58 steps"
DATA, DATA_58 = "Perceiver, padding as data", "Perceiver, padding as data, tested with 58 steps"
LIKE, SERIES = "Perceiver, masks, batches of like length", "Perceiver, kp.Series with masks"
VARIANTS = {
    MASKS: perceiver(),
    MASKS_58: perceiver(tested=(2 * LONGEST,)),
    DATA: perceiver(masks=False),
    DATA_58: perceiver(masks=False, tested=(2 * LONGEST,)),
    LIKE: perceiver(lengths=LENGTHS, tested=LENGTHS),
    SERIES: as_described(VOWELS, length=LONGEST),
    "logistic regression": logistic(VOWELS),
    "nearest neighbour": nearest(VOWELS, equal=False),
    "majority": majority(VOWELS),
    "Perceiver" + EQUAL: as_described(DAYS),
    "logistic regression" + EQUAL: logistic(DAYS),
    "nearest neighbour" + EQUAL: nearest(DAYS, equal=True),
    "majority" + EQUAL: majority(DAYS),
}

EXPERIMENT = Experiment(
    name="time_series",
    title="Series of unequal lengths",
    claim="Unused inputs are masked, and count for nothing: any padding gives the same answers "
    "(Perceiver IO, appendix B, of units that are not there)",
    unit="accuracy",
    variants=VARIANTS,
    verdict=verdict,
    data="Japanese vowels; power demand of Italy",
    steps=300,
    baselines=tuple(name for name in VARIANTS if not name.startswith("Perceiver")),
)

if __name__ == "__main__":
    run(EXPERIMENT, __doc__)
