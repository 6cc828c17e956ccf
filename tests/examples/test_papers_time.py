"""The experiments on points, series, wearables, units and all together run, on a little noise."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.data.sources.prepared import builder_class

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("sklearn")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning"),
]

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
def quick(monkeypatch, no_local_start):
    """Experiments can be imported, and models run without graphs, which take longer to make."""
    monkeypatch.syspath_prepend(str(PAPERS))
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


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


def test_padding_is_masked_wherever_it_comes_from(data_dir):
    """Batches of like length hold the same steps at the same times as batches of one length."""
    module = experiment("time_series")
    options = module.EXPERIMENT.parser("").parse_args(["--data_dir", str(data_dir)])
    found = []
    for lengths in (module.LENGTHS, (module.LONGEST,)):
        steps = {}
        for inputs, labels in module.timed(options, "test", lengths):
            for i, label in enumerate(labels):
                mask = inputs["steps_mask"][i].numpy()
                values, times = (
                    inputs[key][i].numpy()[mask] for key in ("steps_features", "steps")
                )
                steps[values.tobytes()] = (int(label), times.tolist())
                assert times[0] == -1 and np.allclose(np.diff(times[:, 0]), 2 / 28)
        found.append(steps)
    assert found[0] == found[1] and len(found[0]) == COUNTS["test"]


def test_the_nearest_neighbour_does_not_see_direction_or_padding():
    distances = experiment("point_clouds").distances
    clouds = np.random.default_rng(3).normal(size=(5, 61, 3))
    turned, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))
    np.testing.assert_allclose(distances(clouds @ turned), distances(clouds), atol=0.05)
    padded = np.concatenate([clouds, np.full((5, 13, 3), 99.0)], axis=1)
    np.testing.assert_array_equal(
        distances(padded, np.arange(74) < 61 + np.zeros((5, 1))), distances(clouds)
    )
    assert np.abs(distances(clouds**3) - distances(clouds)).max() > 0.5


@pytest.mark.parametrize("count", (24, 64))
def test_the_flops_of_the_transformer_are_those_of_its_blocks(count):
    from keras_perceiver.layers.part_cost import self_attention

    module = experiment("entities")
    layer = self_attention(count, 64, 4, widening_factor=4).flops
    assert module.transformer_flops(count, 64, 256, 3) == 3 * layer


def test_the_verdict_is_of_the_numbers():
    """Where all are equal, nothing shows but what asks for no difference."""
    for name in NAMES:
        made = experiment(name).EXPERIMENT
        shows, sentence = made.verdict(dict.fromkeys(made.variants, 0.625))
        assert shows == (name == "entities") and "+0.000" in sentence
    made = experiment("time_series").EXPERIMENT
    shows, _ = made.verdict({key: 0.9 - 0.2 * ("as data" in key) for key in made.variants})
    assert shows


def test_the_full_size_on_a_little_modelnet40(tmp_path):
    """The command of the header: the preset, here a small one, and the paper's training."""
    module = experiment("point_clouds")
    square = "OFF\n4 2 0\n0 0 5\n4 0 5\n4 4 7\n0 4 5\n3 0 1 2\n3 0 2 3\n"
    for name in ("bed", "desk", "lamp"):
        for split in ("train", "test"):
            folder = tmp_path / "ModelNet40" / name / split
            folder.mkdir(parents=True)
            (folder / f"{name}_1.off").write_text(square)
    small = kp.build_classifier(kp.Points(5, num_bands=2), 40, num_latents=3, latent_dim=8)
    small.save_to_preset(tmp_path / "small")
    arguments = ["--dataset", "modelnet40_meshes", "--source_dir", str(tmp_path / "ModelNet40")]
    arguments += ["--data_dir", str(tmp_path / "data"), "--preset", str(tmp_path / "small")]
    scores = module.run(module.EXPERIMENT, "", [*arguments, "--only", "Perceiver", "--steps", "2"])
    assert scores["Perceiver"][0] in (0, 1 / 3, 2 / 3, 1)


def test_the_preset_of_the_header_fits_the_data():
    preset = kp.presets.get("perceiver_modelnet40")
    changed = preset.changed(num_points=2048, num_classes=40)
    assert changed["inputs"].num_points == 2048 and changed["num_latents"] == 512
