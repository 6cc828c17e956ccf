"""Files that cannot be loaded: a ValueError at once, and the model exactly as it was."""

import json

import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver import finetuning, sealed_arrays

pytestmark = pytest.mark.usefixtures("no_collections")
SIZES = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "jit_compile": False,
}


def small():
    return kp.build_classifier((5, 2), 3, **SIZES)


@pytest.fixture(scope="module")
def model():
    """What is refused leaves it as it was, so that all refusals can be of one model."""
    return small()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    finetuning.save_adapters(finetuning.enable_lora(small(), rank=2), folder / "adapters.npz")
    finetuning.save(finetuning.enable_lora(small(), rank=2), folder / "model.npz")
    return folder


def changed(path, to, change):
    """A file with another description or other arrays, and a checksum that fits them."""
    arrays = sealed_arrays.read(path)
    about = json.loads(arrays.pop("about").tobytes())
    change(about, arrays)
    about = np.frombuffer(json.dumps(about).encode(), "uint8")
    sealed_arrays.write(to, {"about": about, **arrays})
    return to


def first_lora(about):
    return next(iter(about["changes"]["lora"].values()))


def set_nan(arrays):
    name = next(name for name in arrays if name.startswith("lora_kernel_a"))
    arrays[name] = np.full_like(arrays[name], np.nan)


DAMAGES = {
    "an array is missing": lambda about, arrays: arrays.pop(sorted(arrays)[-1]),
    "nan": lambda about, arrays: set_nan(arrays),
    "a huge rank": lambda about, arrays: first_lora(about).__setitem__(0, 10**9),
    "a rank that is no number": lambda about, arrays: first_lora(about).__setitem__(0, "2"),
    "alpha is nan": lambda about, arrays: first_lora(about).__setitem__(1, float("nan")),
    "another shape": lambda about, arrays: first_lora(about).__setitem__(2, 77),
    "no changes": lambda about, arrays: about.pop("changes"),
    "changes are a list": lambda about, arrays: about.update(changes=[]),
    "a layer that is not there": lambda about, arrays: about["changes"]["lora"].update(
        {"999": [2, 2, 8, 8]}
    ),
    "int8 of no layer": lambda about, arrays: about["changes"].update(int8=["a"]),
    "another array": lambda about, arrays: arrays.update(other=np.ones(3)),
}


def state(model):
    weights = [(w.path, w.trainable, np.asarray(w.value)) for w in model.weights]
    layers = [(layer.path, layer.trainable) for layer in model._flatten_layers()]
    return weights, layers, model.optimizer, model.train_function


@pytest.mark.parametrize("damage", DAMAGES)
def test_adapters(files, model, tmp_path, damage):
    path = changed(files / "adapters.npz", tmp_path / "bad.npz", DAMAGES[damage])
    before = state(model)
    with pytest.raises(ValueError):
        finetuning.load_adapters(model, path)
    after = state(model)
    assert [w[:2] for w in before[0]] == [w[:2] for w in after[0]]
    for (_, _, old), (_, _, new) in zip(before[0], after[0]):
        np.testing.assert_array_equal(old, new)
    assert before[1:] == after[1:]


@pytest.mark.parametrize(
    "damage", [pytest.param(one, marks=[pytest.mark.slow] * (one != "nan")) for one in DAMAGES]
)
def test_after_a_refusal_the_good_adapters_still_fit(files, tmp_path, damage):
    path = changed(files / "adapters.npz", tmp_path / "bad.npz", DAMAGES[damage])
    model = small()
    with pytest.raises(ValueError):
        finetuning.load_adapters(model, path)
    finetuning.load_adapters(model, files / "adapters.npz")


@pytest.mark.parametrize("damage", DAMAGES)
def test_whole_models(files, tmp_path, damage):
    path = changed(files / "model.npz", tmp_path / "bad.npz", DAMAGES[damage])
    with pytest.raises(ValueError):
        finetuning.load(path)


@pytest.mark.parametrize(
    "config", [None, {}, {"inputs": 3}, {"inputs": {"class_name": "os.system"}, "outputs": 1}]
)
def test_a_damaged_description(files, tmp_path, config):
    path = changed(
        files / "model.npz", tmp_path / "bad.npz", lambda about, _: about.update(config=config)
    )
    with pytest.raises(ValueError, match="`path` must describe a model"):
        finetuning.load(path)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"rank": 10**9}, "`rank` must be at most"),
        ({"rank": 0}, "`rank` must be a whole number"),
        ({"rank": 2, "alpha": float("nan")}, "`alpha` must be a finite number"),
        ({"rank": 2, "feed_forward": "no"}, "`feed_forward` must be True or False"),
        ({"rank": 2, "train_heads": 1.5}, "`train_heads` must be True or False"),
        ({"rank": 2, "learning_rate": "0.1"}, "`learning_rate` must be a finite number"),
        ({"rank": 2, "projections": 3}, "`projections` must be some of"),
        ({"rank": 2, "projections": ["keys"]}, "`projections` must be one of"),
    ],
)
def test_enable_lora_that_is_refused(model, options, message):
    before = state(model)
    with pytest.raises(ValueError, match=message):
        finetuning.enable_lora(model, **options)
    assert [w[:2] for w in before[0]] == [w[:2] for w in state(model)[0]]
    assert before[1:] == state(model)[1:]
