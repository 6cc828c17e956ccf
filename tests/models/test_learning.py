"""Each task builder learns a small generated task, which it cannot without its input.

Every task is made so that an answer that ignores the input scores as `blind` does.
"""

import keras
import numpy as np
import pytest

import keras_perceiver as kp

SIZES = {"num_latents": 8, "latent_dim": 32, "num_self_attends_per_block": 1}
SIZES.update(num_self_attention_heads=4, learning_rate=4e-3, jit_compile=False)

pytestmark = pytest.mark.slow


@pytest.fixture
def random():
    keras.utils.set_random_seed(3)
    return np.random.default_rng(3)


def fit(model, x, y, epochs, **options):
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, **options)
    return model.evaluate(x, y, batch_size=128, verbose=0, return_dict=True, **options)


def test_classifier_both_heads(random):
    """Which quarter of an image is bright."""
    quarter = random.integers(0, 4, 512)
    images = 0.3 * random.normal(size=(512, 4, 4, 1))
    for i, q in enumerate(quarter):
        images[i, 2 * (q // 2) : 2 * (q // 2) + 2, 2 * (q % 2) : 2 * (q % 2) + 2] += 1
    for options in ({"head": "query"}, {"head": "mean", "num_cross_attends": 2}):
        model = kp.build_classifier((4, 4, 1), 4, **options, **SIZES)
        assert fit(model, images, quarter, epochs=8)["accuracy"] > 0.9  # blind: 0.25


def test_masked_language_model(random):
    """Texts of one letter, some of it hidden: only the rest tells which letter."""
    letter = random.integers(103, 111, 512)
    ids = np.repeat(letter[:, None], 9, axis=1)
    hidden = random.random(ids.shape) < 0.3
    model = kp.build_masked_language_model(9, dim=32, **SIZES)
    x = np.where(hidden, 3, ids)
    model.fit(x, ids, sample_weight=hidden, batch_size=32, epochs=10, verbose=0)
    guessed = model.predict(x, verbose=0).argmax(-1)
    assert (guessed == ids)[hidden].mean() > 0.9  # blind: 0.125


def test_multitask_classifier(random):
    """Two questions to the same series: is its mean positive, where is its largest value?"""
    series = random.normal(size=(512, 3, 1)) + random.normal(size=(512, 1, 1))
    y = {"sign": (series.mean((1, 2)) > 0).astype(int), "where": series[..., 0].argmax(1)}
    model = kp.build_multitask_classifier((3, 1), {"sign": 2, "where": 3}, **SIZES)
    results = fit(model, series, y, epochs=30)
    assert results["sign_accuracy"] > 0.9  # blind: 0.5
    assert results["where_accuracy"] > 0.8  # blind: 0.33


def test_optical_flow(random):
    """The second frame is the first one shifted to one of four sides."""
    shifts = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])[random.integers(0, 4, 512)]
    first = random.normal(size=(512, 6, 6, 3))
    second = np.stack([np.roll(f, s, (0, 1)) for f, s in zip(first, shifts)])
    frames = np.stack([first, second], 1)
    flow = np.broadcast_to(shifts[:, None, None, ::-1], (512, 6, 6, 2)).astype("float32")
    model = kp.build_optical_flow(6, 6, num_bands=4, **{**SIZES, "num_latents": 16})
    results = fit(model, frames, flow, epochs=25)
    assert results["end_point_error"] < 0.7  # blind: 1.0


@pytest.mark.parametrize("stem_norm", ["group", "batch"])
def test_upsampled_optical_flow(random, stem_norm):
    """The same through a convolution: smooth frames, shifted by up to two pixels."""
    shifts = 2 * np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])[random.integers(0, 4, 512)]
    first = random.normal(size=(512, 3, 3, 3)).repeat(4, axis=1).repeat(4, axis=2)
    second = np.stack([np.roll(f, s, (0, 1)) for f, s in zip(first, shifts)])
    frames = np.stack([first, second], 1)
    flow = np.broadcast_to(shifts[:, None, None, ::-1], (512, 12, 12, 2)).astype("float32")
    options = {**SIZES, "num_latents": 9}
    model = kp.build_optical_flow(12, 12, stem="conv", stem_norm=stem_norm, num_bands=4, **options)
    results = fit(model, frames, flow, epochs=25)
    assert results["end_point_error"] < 1.2  # blind: 2.0


def test_autoencoder(random):
    """Images and sounds that one number decides, through the latents and back."""
    number = random.uniform(-1, 1, (512, 1))
    x = {
        "image": (number * np.linspace(-1, 1, 16)).reshape(512, 4, 4, 1),
        "audio": (np.sin(3 * number) * np.linspace(0, 1, 12))[..., None],
    }
    inputs = {"image": kp.Image(4, 4, 1), "audio": kp.Audio(12, 4)}
    results = fit(kp.build_autoencoder(inputs, **SIZES), x, x, epochs=15)
    for key in x:
        blind = np.abs(x[key] - x[key].mean(0)).mean()
        assert results[f"{key}_mae"] < 0.35 * blind


def test_entity_encoder(random):
    """Of a set: is this entity's number above the mean of those in use?"""
    numbers = random.normal(size=(768, 5, 1)) + 2 * random.normal(size=(768, 1, 1))
    mask = np.ones((768, 5), bool)
    mask[:, 4] = random.random(768) < 0.5
    mean = (numbers[..., 0] * mask).sum(1, keepdims=True) / mask.sum(1, keepdims=True)
    above = (numbers[..., 0] > mean).astype(int)
    model = kp.build_entity_encoder(
        5, 1, channels=None, num_classes=2, project_features=16, **SIZES
    )
    x = {"entities": numbers, "entities_mask": mask}
    model.fit(x, above, sample_weight=mask, batch_size=32, epochs=20, verbose=0)
    guessed = model.predict(x, verbose=0).argmax(-1)
    assert (guessed == above)[mask].mean() > 0.85  # blind: 0.5


def test_segmenter(random):
    """Pixels left or right of an edge that is elsewhere in each image."""
    edge = random.integers(1, 7, 512)
    masks = np.broadcast_to((np.arange(8) >= edge[:, None])[:, None], (512, 8, 8)).astype(int)
    images = (masks + 0.3 * random.normal(size=masks.shape))[..., None]
    model = kp.build_segmenter(kp.Image(8, 8, 1, stem="patches", patch_size=2), 2, **SIZES)
    assert fit(model, images, masks, epochs=12)["accuracy"] > 0.9  # blind: 0.75


def test_perceiver_io(random):
    """The largest distance of scattered points from the origin, and a field at other points."""
    points = random.uniform(-1, 1, (512, 7, 2))
    slope = random.normal(size=(512, 1, 1))
    at = random.uniform(-1, 1, (512, 5, 2))
    x = {"cloud": points, "cloud_features": points[..., :1] * slope, "field_points": at}
    y = {"field": at[..., :1] * slope, "slope": slope[:, 0]}
    model = kp.build_perceiver_io(
        {"cloud": kp.Points(7, 2, num_features=1, num_bands=2, max_resolution=4)},
        {"field": kp.AtPoints(2, channels=1, num_bands=2, max_resolution=4), "slope": kp.Values(1)},
        **SIZES,
    )
    results = fit(model, x, y, epochs=25)
    assert results["field_mae"] < 0.5 * np.abs(y["field"]).mean()
    assert results["slope_mae"] < 0.5 * np.abs(y["slope"]).mean()


def rows_of_patients(random, count=1500):
    """Five measurements of various sizes, two categories; some values are missing."""
    data = {f"m{i}": random.normal(10.0**i, 2.0**i, count) for i in range(5)}
    data["ward"] = random.choice(["a", "b", "c"], count).astype(object)
    data["sex"] = random.choice(["f", "m"], count).astype(object)
    for values in data.values():
        values[random.random(count) < 0.1] = None
    return data


def learned(data, labels, **options):
    """Accuracy on the last third of the rows."""
    table = kp.data.describe_table({key: v[:1000] for key, v in data.items()}, **options)
    model = kp.build_classifier(table.input, num_classes=2, jit_compile=False)
    parts = table(data)
    train, test = (
        {key: v[s] for key, v in parts.items()} for s in (slice(1000), slice(1000, None))
    )
    model.fit(train, labels[:1000], batch_size=32, epochs=8, verbose=0)
    return model.evaluate(test, labels[1000:], verbose=0, return_dict=True)["accuracy"]


@pytest.mark.parametrize("options", [{}, {"hidden_rate": 0.1, "noise": 0.1}])
def test_table_of_which_a_column_decides(random, options):
    data = rows_of_patients(random)
    data["m3"] = random.normal(1000, 8, 1500)  # none of it is missing
    assert learned(data, (data["m3"] > 1000).astype(int), **options) > 0.95  # blind: 0.5


def test_table_of_which_a_missing_value_decides(random):
    for column in ("m2", "ward"):
        data = rows_of_patients(random)
        missing = random.random(1500) < 0.5
        data[column][missing] = None
        labels = np.array([value is None or value != value for value in data[column]]).astype(int)
        assert learned(data, labels) > 0.98  # blind: 0.55
