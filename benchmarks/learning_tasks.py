"""Small tasks that a new user would try: what is learned, by which model, scored how.

Each task is a function of a seed that gives a `Task`. Data are made here, or come with Python, with
scikit-learn or with aeon; nothing is downloaded.
"""

import dataclasses
import re
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.inputs.byte_vocabulary import MASK


@dataclasses.dataclass
class Task:
    """One task with one seed.

    Args:
        ours: From further arguments of the builder to our compiled model.
        others: {name: makes what else one would take, with `fit` and `predict` as of Keras}
        data: Arguments of `fit`.
        score: From a trained model to a number.
        plateau: Loss of the best constant answer.
    """

    ours: Callable
    others: dict
    data: dict
    score: Callable
    plateau: float


def _entropy(labels):
    """Of the frequencies of whole numbers, in nats: the loss of a model that knows these alone."""
    shares = np.bincount(np.ravel(labels)) / np.size(labels)
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)))


def hide(ids, random, share=0.15):
    """(ids with a share masked, the ids, 1 where they are masked); padding is never masked."""
    hidden = (random.random(ids.shape) < share) & (ids != 0)
    return np.where(hidden, MASK, ids).astype("int32"), ids, hidden.astype("float32")


def endless(draw, shape):
    """A pipeline of what `hide` returns, for ever.

    Args:
        draw: Makes a batch.
        shape: (batch, length)
    """

    def batches():
        while True:
            yield draw()

    signature = tuple(tf.TensorSpec(shape, dtype) for dtype in ("int32", "int32", "float32"))
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(4)


def masked_bytes(seed, window=96, hidden=0.15, batch=32):
    """Cross-entropy, in nats, of hidden bytes of Python's manual; less is better."""
    import pydoc_data.topics

    topics = pydoc_data.topics.topics
    text = " ".join(re.sub(r"[*`\"|+=-]+", " ", topics[key]) for key in sorted(topics))
    text = re.sub(r"\s+", " ", text).encode()
    ids = np.frombuffer(text, np.uint8).astype("int32") + 6
    split = len(ids) * 9 // 10
    random = np.random.default_rng(seed)

    def draw(source, count, random):
        starts = random.integers(0, len(source) - window, count)
        return hide(source[starts[:, None] + np.arange(window)], random, hidden)

    pipeline = endless(lambda: draw(ids[:split], batch, random), (batch, window))
    test = draw(ids[split:], 1024, np.random.default_rng(10_000))

    def score(model):
        logits = model.predict(test[0], batch_size=128, verbose=0)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(test[1], logits).numpy()
        return float((nats * test[2]).sum() / test[2].sum())

    def ours(**options):
        return kp.build_masked_language_model(window, **options)

    def other():
        layers = [keras.layers.Embedding(262, 128)]
        layers += [keras.layers.Conv1D(128, 5, padding="same", activation="relu") for _ in range(3)]
        model = keras.Sequential([keras.Input((window,), dtype="int32"), *layers])
        model.add(keras.layers.Dense(262))
        return _compiled(model)

    data = {"x": pipeline, "steps_per_epoch": 100}
    return Task(ours, {"three Conv1D": other}, data, score, _entropy(ids[:split]))


def bars(seed, described=True, **image):
    """Accuracy: four directions of a short bar at a random place in noise, 16 x 16 raw pixels."""
    x, y = _bars(3000, seed)
    test = _bars(1000, seed + 10_000)

    def ours(**options):
        inputs = kp.Image(16, 16, 1, **image) if described else (16, 16, 1)
        return kp.build_classifier(inputs, 4, **options)

    score = _accuracy(*test)
    others = {"two Conv2D": lambda: _convolutions(4)}
    return Task(ours, others, {"x": x, "y": y}, score, _entropy(y))


def bars_chosen(seed):
    """The same, described by its shape alone: the builder chooses a convolution."""
    return bars(seed, described=False)


def _bars(count, seed, size=16, length=5):
    random = np.random.default_rng(seed)
    images = random.normal(0, 0.3, (count, size, size, 1)).astype("float32")
    labels = random.integers(0, 4, count).astype("int32")
    for image, label in zip(images, labels):
        down, right = ((0, 1), (1, 0), (1, 1), (1, -1))[label]
        row = random.integers(0, size - (length - 1) * down)
        column = random.integers(0, size - (length - 1) * abs(right)) + (length - 1) * (right < 0)
        for step in range(length):
            image[row + step * down, column + step * right] += 1
    return images, labels


def shapes(seed):
    """Mean intersection over union of discs and squares in noise, 32 x 32."""
    (x, y), test = _shapes(2000, seed), _shapes(500, seed + 10_000)

    def score(model):
        found = model.predict(test[0], batch_size=50, verbose=0).argmax(-1)
        both = [np.sum((found == k) & (test[1] == k)) for k in (1, 2)]
        either = [np.sum((found == k) | (test[1] == k)) for k in (1, 2)]
        return float(np.mean(np.array(both) / np.array(either)))

    def other():
        layers = [keras.layers.Conv2D(32, 5, padding="same", activation="relu") for _ in range(4)]
        model = keras.Sequential([keras.Input((32, 32, 3)), *layers, keras.layers.Conv2D(3, 1)])
        return _compiled(model)

    def ours(**options):
        return kp.build_segmenter((32, 32, 3), 3, **options)

    return Task(ours, {"four Conv2D": other}, {"x": x, "y": y}, score, _entropy(y))


def _shapes(count, seed, size=32):
    random = np.random.default_rng(seed)
    images = random.normal(0, 0.3, (count, size, size, 3)).astype("float32")
    labels = np.zeros((count, size, size), "int32")
    rows, columns = np.mgrid[:size, :size]
    for image, label in zip(images, labels):
        for _ in range(random.integers(1, 3)):
            kind, radius = random.integers(1, 3), random.integers(3, 6)
            row, column = random.integers(5, size - 5, 2)
            down, right = np.abs(rows - row), np.abs(columns - column)
            disc, square = down**2 + right**2 <= radius**2, np.maximum(down, right) <= radius
            inside = disc if kind == 1 else square
            image[inside] += random.normal(0.8, 0.2, 3)
            label[inside] = kind
    return images, labels


def digits(seed):
    """Accuracy on scikit-learn's 8 x 8 digits, 1,437 for training."""
    train, test = kp.data.digits(seed=seed)
    images, labels = (np.concatenate(parts) for parts in zip(*test.as_numpy_iterator()))

    def ours(**options):
        return kp.build_classifier((8, 8, 1), 10, **options)

    others = {"two Conv2D": lambda: _convolutions(10, (8, 8, 1))}
    return Task(ours, others, {"x": train}, _accuracy(images, labels), np.log(10))


def breast_cancer(seed, **table):
    """Accuracy on scikit-learn's table of 569 rows and 30 columns, a fifth for testing."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    x, y, test_x, test_y = _rows("load_breast_cancer", seed)
    table = kp.data.describe_table(x, **table)

    def ours(**options):
        return kp.build_classifier(table.input, 2, **options)

    others = {
        "boosted trees": lambda: Estimator(HistGradientBoostingClassifier()),
        "logistic regression": lambda: Estimator(LogisticRegression(max_iter=1000)),
    }
    return Task(ours, others, {"x": x, "y": y}, _accuracy(test_x, test_y), _entropy(y))


def diabetes(seed, **table):
    """R2 on scikit-learn's table of 442 rows and 10 columns, a fifth for testing."""
    return _regression(_rows("load_diabetes", seed), table)


def friedman(seed, rows=750, **table):
    """R2 on Friedman's first function of five of ten columns, with noise, a fifth for testing."""
    from sklearn.datasets import make_friedman1

    return _regression(_split(*make_friedman1(rows, noise=1.0, random_state=seed), seed), table)


def _regression(parts, table):
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import RidgeCV

    x, y, test_x, test_y = parts
    table = kp.data.describe_table(x, **table)
    middle, spread = y.mean(), y.std()
    y = ((y - middle) / spread).astype("float32")[:, None]

    def ours(**options):
        return kp.build_perceiver_io(table.input, kp.Values(1), **options)

    def score(model):
        found = model.predict(test_x, verbose=0)[:, 0] * spread + middle
        return float(1 - np.mean((found - test_y) ** 2) / np.var(test_y))

    others = {
        "boosted trees": lambda: Estimator(HistGradientBoostingRegressor()),
        "ridge regression": lambda: Estimator(RidgeCV(np.logspace(-2, 4, 20))),
    }
    return Task(ours, others, {"x": x, "y": y}, score, 1.0)


class Estimator:
    """A scikit-learn estimator, used like a Keras model; rows of tables are standardised."""

    def __init__(self, estimator, standardized=True):
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        first = StandardScaler() if standardized else "passthrough"
        self.estimator = make_pipeline(first, estimator)

    def fit(self, x, y, **_):
        self.estimator.fit(x.reshape(len(x), -1), y.reshape(len(y)))

    def predict(self, x, **_):
        x = x.reshape(len(x), -1)
        if hasattr(self.estimator, "predict_proba"):
            return self.estimator.predict_proba(x)
        return self.estimator.predict(x)[:, None]


def _rows(name, seed):
    import sklearn.datasets

    return _split(*getattr(sklearn.datasets, name)(return_X_y=True), seed)


def _split(x, y, seed):
    order = np.random.default_rng(seed).permutation(len(x))
    train, test = order[len(x) // 5 :], order[: len(x) // 5]
    return x[train].astype("float32"), y[train], x[test].astype("float32"), y[test]


def gunpoint(seed, **series):
    """Accuracy on 50 series of 150 numbers for training (aeon)."""
    return _series("GunPoint", series)


def arrowhead(seed, **series):
    """Accuracy on 36 series of 251 numbers for training (aeon)."""
    return _series("ArrowHead", series)


def basic_motions(seed, **series):
    """Accuracy on 40 series of 100 times six numbers for training (aeon)."""
    return _series("BasicMotions", series)


def _series(name, series):
    from aeon.datasets import load_classification
    from sklearn.neighbors import KNeighborsClassifier

    x, y = load_classification(name, split="train")
    test_x, test_y = load_classification(name, split="test")
    names = sorted(set(y))
    x, test_x = x.transpose(0, 2, 1), test_x.transpose(0, 2, 1)
    y, test_y = (np.array([names.index(label) for label in some]) for some in (y, test_y))

    def ours(**options):
        shape = x.shape[1:]
        described = kp.Series(*shape, normalize=True, **series) if series else shape
        return kp.build_classifier(described, len(names), **options)

    others = {"nearest neighbour": lambda: Estimator(KNeighborsClassifier(1), False)}
    data = {"x": x.astype("float32"), "y": y, "batch_size": 16}
    return Task(ours, others, data, _accuracy(test_x.astype("float32"), test_y), _entropy(y))


def _accuracy(x, y):
    def score(model):
        return float(np.mean(model.predict(x, verbose=0).argmax(-1) == y))

    return score


def _convolutions(classes, shape=(16, 16, 1)):
    layers = [keras.layers.Conv2D(32, 3, padding="same", activation="relu") for _ in range(2)]
    layers += [keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(classes)]
    return _compiled(keras.Sequential([keras.Input(shape), *layers]))


def _compiled(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    return model


TASKS = {
    # name: (task, seconds, floor, whether less is better)
    "masked bytes, nats": (masked_bytes, 60, 2.4, True),
    "bars, pixels": (bars, 60, 0.95, False),
    "bars, shape alone": (bars_chosen, 60, 0.98, False),
    "shapes, IoU": (shapes, 60, 0.75, False),
    "digits": (digits, 30, 0.98, False),
    "GunPoint": (gunpoint, 30, 0.93, False),
    "ArrowHead": (arrowhead, 30, 0.80, False),
    "BasicMotions": (basic_motions, 30, 0.97, False),
    "breast cancer": (breast_cancer, 30, 0.975, False),
    "diabetes, R2": (diabetes, 30, 0.35, False),
    "Friedman 1, R2": (friedman, 30, None, False),
}
