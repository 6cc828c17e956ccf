import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from keras_perceiver.data.sources.parametric_surface import SURFACES, parametric_surface
from keras_perceiver.data.sources.points_on_mesh import points_on_mesh
from keras_perceiver.data.sources.surface_points import SurfacePoints


def clouds(count, seed, **options):
    builder = SurfacePoints(num_points=211, **options)
    found = [builder.made(i, "train", np.random.default_rng([seed, i])) for i in range(count)]
    return np.stack([e["points"] for e in found]), np.array([e["label"] for e in found])


def test_labels_are_balanced():
    _, labels = clouds(30, 0)
    assert dict(zip(*np.unique(labels, return_counts=True))) == dict.fromkeys(SURFACES, 3)


def sampled(name, seed=0, count=20001):
    random = np.random.default_rng(seed)
    return points_on_mesh(*parametric_surface(name, random), count, random)


def test_points_satisfy_the_equations_of_the_surfaces():
    x, y, z = sampled("sphere").T
    np.testing.assert_allclose(np.hypot(np.hypot(x, y), z), 1, atol=5e-3)
    for low, high in ((-1, -0.5), (-0.1, 0.1), (0.9, 1)):  # by area: uniform in height
        assert np.mean((low < z) & (z < high)) == pytest.approx((high - low) / 2, abs=0.01)
    x, y, z = sampled("cylinder").T
    np.testing.assert_allclose(np.hypot(x, y), 1, atol=5e-3)
    x, y, z = sampled("cone").T
    slope = -z / np.hypot(x, y)
    np.testing.assert_allclose(slope, slope[0], rtol=1e-2)
    assert np.median(np.hypot(x, y)) == pytest.approx(np.sqrt(0.5), abs=0.01)  # by area
    x, y, z = sampled("torus").T
    tube = np.hypot(np.hypot(x, y) - 1, z)
    np.testing.assert_allclose(tube, tube.mean(), rtol=2e-2)
    assert np.mean(np.hypot(x, y) > 1) > 0.55  # there is more of the outside
    x, y, z = sampled("saddle").T
    steep = z[np.abs(x**2 - y**2) > 0.5] / (x**2 - y**2)[np.abs(x**2 - y**2) > 0.5]
    np.testing.assert_allclose(steep, steep.mean(), rtol=1e-2)
    x, y, z = sampled("paraboloid").T
    steep = (z / (x**2 + y**2))[z > 0.1]
    np.testing.assert_allclose(steep, steep.mean(), rtol=1e-2)
    assert np.isclose(np.abs(sampled("cube")).max(1), 1).all()
    sides = np.unique(np.argmax(np.abs(sampled("cube")), 1), return_counts=True)[1]
    np.testing.assert_allclose(sides / 20001, 1 / 3, atol=0.02)
    x, y, z = sampled("helicoid").T
    turns = np.abs(x * np.sin(2 * z) - y * np.cos(2 * z))
    assert turns.max() < 0.02
    x, y, z = sampled("moebius_strip").T
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    np.testing.assert_allclose((radius - 1) * np.sin(angle / 2), z * np.cos(angle / 2), atol=0.02)
    x, y, z = sampled("klein_bottle").T
    ring = np.hypot(x, y)
    assert ring.min() > 0.5 and np.abs(z).max() < 1.3


def test_sizes_and_directions_are_random():
    points, labels = clouds(200, 1, noise=0)
    farthest = np.linalg.norm(points, axis=2).max(1)
    assert 0.6 < farthest.min() < 0.85 and 1.15 < farthest.max() <= 1.26
    saddles = points[labels == "saddle"]
    ridge = np.array([np.linalg.eigh(np.cov(p[p[:, 2] > 0, :2].T))[1][:, 1] for p in saddles])
    assert np.abs(ridge[:, 0]).std() > 0.2  # turned about the upright axis
    bottles = points[labels == "cone"]
    assert all(np.corrcoef(p[:, 2], np.hypot(*p[:, :2].T))[0, 1] < -0.9 for p in bottles)


def test_noise_is_of_the_size_that_is_said():
    for noise in (0, 5):
        points, labels = clouds(40, 2, noise=noise)
        spheres = np.linalg.norm(points[labels == "sphere"], axis=2)
        assert spheres.std(1).max() <= 0.055 and (spheres.std(1).min() > 0.04) == (noise == 5)


def test_a_simple_baseline_is_above_chance_and_below_one():
    """Sizes along and around the axis, in a random forest."""

    def features(points):
        around, along = np.linalg.norm(points[..., :2], axis=2), points[..., 2]
        levels = np.linspace(0, 1, 7)
        return np.concatenate([np.quantile(x, levels, axis=1).T for x in (around, along)], 1)

    (train, labels), (test, answers) = clouds(400, 3), clouds(200, 4)
    model = RandomForestClassifier(30, random_state=0).fit(features(train), labels)
    assert 0.5 < model.score(features(test), answers) < 1
