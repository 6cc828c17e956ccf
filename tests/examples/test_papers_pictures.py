"""The experiments on pictures run from start to end, on a few pictures and for two steps."""

import importlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("sklearn")

pytestmark = pytest.mark.slow

PAPERS = Path(__file__).parents[2] / "examples" / "papers"
NAMES = (
    "image_classification",
    "positions",
    "cross_attends",
    "depth_and_latents",
    "training_examples",
)
TINY = ["--size", "7", "--steps", "2", "--test", "test[:19]"]
SYNSETS = ("n01440764", "n01443537", "n15075141")


@pytest.fixture(autouse=True)
def importable(monkeypatch, no_local_start):
    monkeypatch.syspath_prepend(str(PAPERS))
    # For two steps, compiling by XLA takes far longer than it saves.
    monkeypatch.setattr(
        "keras_perceiver.models.compiling._gains_from_xla_on_cpu", lambda model: False
    )


def experiment(name):
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Noise under the names of the true data sets, whose packages need not be installed."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(5)
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(9, 9, 1)),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
    )
    for name in ("animal_silhouettes", "optical_digits"):
        pictures = random.integers(0, 256, (230, 9, 9, 1)).astype("uint8")
        examples = [(i, {"image": one, "label": i % 10}) for i, one in enumerate(pictures)]
        splits = {"train": examples[:200], "validation": examples[:2], "test": examples[200:]}
        tfds.dataset_builders.store_as_tfds_dataset(
            name, "1.0.0", features, splits, data_dir=folder
        )
    return folder


@pytest.fixture(scope="module")
def imagenet_dir(tmp_path_factory):
    """The two archives of ImageNet with a few pictures of noise, of different sizes."""
    folder = tmp_path_factory.mktemp("imagenet")
    manual = folder / "downloads" / "manual"
    manual.mkdir(parents=True)
    packed = {
        f"{synset}.tar": archive({f"{synset}_{i}.JPEG": jpeg(41 + i, 35) for i in range(4)})
        for synset in SYNSETS
    }
    (manual / "ILSVRC2012_img_train.tar").write_bytes(archive(packed))
    pictures = {f"ILSVRC2012_val_{i:08d}.JPEG": jpeg(39, 41 + i) for i in range(1, 6)}
    (manual / "ILSVRC2012_img_val.tar").write_bytes(archive(pictures))
    return folder


def jpeg(height, width):
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3)).astype("uint8")
    return tf.io.encode_jpeg(pixels).numpy()


def archive(files):
    """The bytes of a tar archive."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return found.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_gives_a_score_and_the_claim_is_judged(name, data_dir, capsys):
    module = experiment(name)
    scores = module.run(module.EXPERIMENT, "", [*TINY, "--data_dir", str(data_dir)])
    assert list(scores) == list(module.EXPERIMENT.variants)
    assert all(0 <= score <= 1 for (score,) in scores.values())
    assert "The claim " in capsys.readouterr().out
    assert set(module.EXPERIMENT.baselines) <= set(scores)


@pytest.mark.parametrize("name", ("depth_and_latents", "training_examples"))
def test_curves_are_drawn(name, data_dir, tmp_path, monkeypatch):
    module = experiment(name)
    if name == "depth_and_latents":
        monkeypatch.setattr(module.curves, "__defaults__", ((6, 9),))
    some = list(module.EXPERIMENT.variants)[-3:]
    arguments = [*TINY, "--data_dir", str(data_dir), "--results", str(tmp_path), "--only", *some]
    module.main(arguments)
    assert (tmp_path / f"{name}.json").exists()
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_the_same_layers_in_another_order_have_other_answers(data_dir):
    module = experiment("cross_attends")
    sizes = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}
    picture = kp.Image(5, 6, 2)
    model = kp.build_classifier(picture, 4, head="mean", num_cross_attends=3, **sizes)
    once = kp.build_classifier(picture, 4, head="mean", num_cross_attends=1, **sizes)
    images = np.random.default_rng(2).normal(size=(3, 5, 6, 2)).astype("float32")
    for variable in (*model.trainable_variables, *once.trainable_variables):
        variable.assign(np.random.default_rng(len(variable.path)).normal(0, 0.3, variable.shape))
    reordered = module.all_at_the_start(model, 3)
    assert reordered.count_params() == model.count_params()
    there, here = reordered.predict(images, verbose=0), model.predict(images, verbose=0)
    assert np.abs(there - here).max() > 1e-3
    # With one cross-attend there is nothing to reorder.
    there = module.all_at_the_start(once, 1).predict(images, verbose=0)
    np.testing.assert_allclose(there, once.predict(images, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("side", (5, 12))
def test_the_flops_of_the_transformer_are_those_of_its_blocks(side):
    from keras_perceiver.layers.part_cost import dense, self_attention

    module = experiment("depth_and_latents")
    inputs, width = side * side, kp.Image(side, side, 1).input_dim
    blocks = 2 * self_attention(inputs, 128, 4).flops
    read, head = dense(inputs, width, 128).flops, dense(1, 128, 10).flops
    assert module.transformer_flops((side, side, 1)) == blocks + read + head


def test_the_verdict_is_of_the_numbers():
    """Where all are equal no difference shows; Perceivers are as good as others, though."""
    for name in NAMES:
        made = experiment(name).EXPERIMENT
        shows, sentence = made.verdict(dict.fromkeys(made.variants, 0.625))
        assert shows == (name == "image_classification") and (
            "0.625" in sentence or "+0" in sentence
        )
    made = experiment("positions").EXPERIMENT
    falling = dict(zip(made.variants, np.linspace(0.9, 0.1, len(made.variants))))
    assert made.verdict(falling)[0]


@pytest.mark.parametrize("model", ("Perceiver IO", "convolutional net"))
def test_the_full_size_on_a_little_imagenet(model, imagenet_dir, tmp_path):
    module = experiment("image_classification")
    small = kp.build_classifier(kp.Image(32, 32, 3, num_bands=4), 1000, num_latents=3, latent_dim=8)
    small.save_to_preset(tmp_path / "small")
    arguments = ["--dataset", "imagenet2012", "--data_dir", str(imagenet_dir), "--only", model]
    arguments += ["--train", "train[:100%]", "--batch", "2", "--steps", "2", "--size", "24"]
    scores = module.run(module.EXPERIMENT, "", [*arguments, "--preset", str(tmp_path / "small")])
    assert 0 <= scores[model][0] <= 1
