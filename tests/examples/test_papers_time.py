"""The experiments on points, series, wearables, units and all together run, on a little noise."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from tests.data.sources.prepared import builder_class

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("sklearn")

pytestmark = pytest.mark.slow

PAPERS = Path(__file__).parents[2] / "examples" / "papers"
NAMES = ("point_clouds", "time_series", "wearables", "entities", "one_configuration")
COUNTS = {"train": 41, "validation": 2, "test": 17}
# Names of data sets, and between which lengths series and contours are.
LENGTHS = {
    "animal_silhouettes": None,
    "arm_gestures": None,
    "battlefields": None,
    "cell_contours": (5, 200),
    "language_bytes": None,
    "moving_digits": None,
    "smartwatch_exercises": (513, 600),
    "sound_events": None,
    "surface_points": None,
    "time_series/italy_power_demand": (24, 25),
    "time_series/japanese_vowels": (7, 30),
}


@pytest.fixture(autouse=True)
def importable(monkeypatch, no_local_start):
    monkeypatch.syspath_prepend(str(PAPERS))
    # Compiled for two steps, XLA would take nearly all of the time.
    monkeypatch.setattr("keras.src.trainers.trainer.model_supports_jit", lambda model: False)


def experiment(name):
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Noise under the names of the true data sets, whose packages need not be installed."""
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(7)
    for name, lengths in LENGTHS.items():
        name, _, config = name.partition("/")
        options = {"config": config} if config else {}
        builder = builder_class(name)(data_dir=folder, **options)
        config = config or (builder.builder_config and builder.builder_config.name)
        splits = {
            split: [(i, noise(builder.info.features, i, lengths, random)) for i in range(count)]
            for split, count in COUNTS.items()
            if split != "validation" or name != "time_series"
        }
        tfds.dataset_builders.store_as_tfds_dataset(
            name, "1.0.0", builder.info.features, splits, data_dir=folder, config=config
        )
    return folder


def noise(features, number, lengths, random):
    """An example of these features. Classes take turns, so that each is there."""
    found = {}
    for key, feature in features.items():
        shape = [size or int(random.integers(*lengths)) for size in feature.shape]
        if isinstance(feature, tfds.features.ClassLabel):
            found[key] = number % feature.num_classes
        elif isinstance(feature, tfds.features.Text):
            found[key] = "äöü and " * (1 + number % 5)
        elif key == "labels":
            found[key] = ((np.arange(shape[0]) + number) % 3 == 0).astype("uint8")
        elif key == "entities_mask":
            found[key] = np.arange(shape[0]) < 6 + number % 9
        elif np.dtype(feature.np_dtype).kind == "f":
            found[key] = random.normal(size=shape).astype("float32")
        else:
            found[key] = random.integers(0, 3, shape).astype(feature.np_dtype)
    if "entities" in found:  # the fourth feature is the owner
        found["entities"][:, 3] = np.resize([-1, 1], len(found["entities"]))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_gives_a_score_and_the_claim_is_judged(name, data_dir, capsys):
    module = experiment(name)
    arguments = ["--steps", "2", "--data_dir", str(data_dir)]
    if name == "entities":
        arguments += ["--num_entities", "24"]
    scores = module.run(module.EXPERIMENT, "", arguments)
    assert list(scores) == list(module.EXPERIMENT.variants)
    assert all(0 <= score <= 1 for (score,) in scores.values())
    assert "The claim " in capsys.readouterr().out
    assert set(module.EXPERIMENT.baselines) <= set(scores)
    if name == "time_series":
        assert scores[module.MASKS] == scores[module.MASKS_58]
