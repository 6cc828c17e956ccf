"""LoRA and int8, alone and together: learned, saved, loaded again, equal to the last bit."""

import json

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver import finetuning, sealed_arrays
from tests.random_values import randomize, to_numpy

pytestmark = pytest.mark.usefixtures("no_collections")
SIZES = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "learning_rate": 1e-2,
    "jit_compile": False,
}
random = np.random.default_rng(0)
IMAGES = random.normal(size=(12, 16, 16, 1)).astype("float32")
LABELS = (np.arange(12) % 3).astype("int32")
IDS = random.integers(6, 11, (12, 5)).astype("int32")


def classifier():
    image = kp.Image(16, 16, channels=1, stem="conv", stem_channels=5, num_bands=2)
    return kp.build_classifier(image, 3, **SIZES), IMAGES, LABELS


def language_model():
    return kp.build_masked_language_model(5, 11, dim=6, **SIZES), IDS, IDS


def autoencoder():
    inputs = {"image": kp.Array((4, 4, 1), num_bands=2), "label": kp.Labels(3)}
    model = kp.build_autoencoder(inputs, mask_probs={"label": 1.0}, **SIZES)
    raw = {"image": IMAGES[:, :4, :4], "label": np.eye(3, dtype="float32")[LABELS]}
    return model, raw, {"image": raw["image"], "label": LABELS}


BUILDERS = [classifier, language_model, autoencoder]


def builders(fast):
    """All of them, of which one is tested before each commit: in each test another one."""
    return pytest.mark.parametrize(
        "build",
        [
            pytest.param(one, id=one.__name__, marks=[pytest.mark.slow] * (one is not fast))
            for one in BUILDERS
        ],
    )


def trained(build):
    model, inputs, targets = build()
    randomize(model)
    learn(model, inputs, targets)
    return model, inputs, targets


def learn(model, inputs, targets, steps=1):
    model.run_eagerly = True  # tracing takes far longer than these steps
    for _ in range(steps):
        model.train_on_batch(inputs, targets)


def outputs_of(model, inputs):
    return [to_numpy(one) for one in keras.tree.flatten(model(inputs))]


def assert_same(one, other, inputs, **tolerance):
    for a, b in zip(outputs_of(one, inputs), outputs_of(other, inputs), strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 0, "atol": 0, **tolerance})


def difference(one, other):
    return max(np.abs(a - b).max() for a, b in zip(one, other, strict=True))


CHANGES = {
    "nothing": [],
    "lora": ["lora"],
    "int8": ["int8"],
    "lora_then_int8": ["lora", "int8"],
    "int8_then_lora": ["int8", "lora"],
}


@pytest.mark.slow
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_what_is_saved_is_loaded_equally(build, changes, tmp_path):
    model, inputs, targets = trained(build)
    for change in changes:
        if change == "lora":
            finetuning.enable_lora(model, rank=2)
            learn(model, inputs, targets)
        else:
            finetuning.quantize(model)
    finetuning.save(model, tmp_path / "model.npz")
    again = finetuning.load(tmp_path / "model.npz")
    assert_same(model, again, inputs)
    assert [v.shape for v in again.trainable_variables] == [
        v.shape for v in model.trainable_variables
    ]
    if "lora" in changes:  # and what was being trained can be trained on
        before = outputs_of(again, inputs)
        learn(again, inputs, targets)
        assert difference(before, outputs_of(again, inputs)) > 0


@builders(fast=classifier)
def test_lora_changes_nothing_until_it_learns_and_then_only_what_it_may(build):
    model, inputs, targets = trained(build)
    before = outputs_of(model, inputs)
    weights = {id(v): to_numpy(v.value) for v in model.variables}
    number = model.count_params()
    assert finetuning.enable_lora(model, rank=2) is model
    assert difference(before, outputs_of(model, inputs)) == 0
    learn(model, inputs, targets, steps=5)
    assert difference(before, outputs_of(model, inputs)) > 1e-3
    trainable = {v.name for v in model.trainable_variables}
    assert (
        {"lora_kernel_a", "lora_kernel_b"}
        <= trainable
        <= {
            "lora_kernel_a",
            "lora_kernel_b",
            "kernel",
            "bias",
        }
    )
    changed = {
        v.path
        for v in model.variables
        if id(v) in weights and (to_numpy(v.value) != weights[id(v)]).any()
    }
    moving = {v.path for v in model.variables if "seed" in v.path}
    assert changed - moving == {
        v.path for v in model.trainable_variables if not v.name.startswith("lora")
    }
    assert sum(np.prod(v.shape) for v in model.trainable_variables) < number / 2


def test_which_layers_get_lora():
    def count(**options):
        model, _, _ = classifier()
        finetuning.enable_lora(model, rank=2, **options)
        names = [v.name for v in model.trainable_variables]
        return names.count("lora_kernel_a"), len(names) - 2 * names.count("lora_kernel_a")

    assert count() == (3 * 4, 2)  # three attentions, and the kernel and bias of the head
    assert count(projections="query") == (3, 2)
    assert count(projections=("query", "value"), feed_forward=True) == (3 * 2 + 3 * 2, 2)
    assert count(projections=(), feed_forward=True, train_heads=False) == (3 * 2, 0)


def test_the_optimizer_is_fresh_and_like_the_old_one():
    model, inputs, targets = trained(classifier)
    old = model.optimizer
    finetuning.enable_lora(model, rank=2, learning_rate=0.25)
    assert model.optimizer is not old and type(model.optimizer) is type(old)
    assert float(model.optimizer.learning_rate) == 0.25
    assert model.optimizer.weight_decay == old.weight_decay
    assert int(model.optimizer.iterations) == 0
    learn(model, inputs, targets)
    assert "accuracy" in model.get_metrics_result()


@pytest.mark.slow
def test_merging_makes_an_ordinary_model(tmp_path):
    model, inputs, targets = trained(classifier)
    number, trainable = model.count_params(), len(model.trainable_variables)
    finetuning.enable_lora(model, rank=2)
    learn(model, inputs, targets, steps=3)
    merged = finetuning.merge_lora(model)
    assert_same(model, merged, inputs, atol=1e-5)
    assert merged.count_params() == number < model.count_params()
    assert len(merged.trainable_variables) == trainable
    learn(merged, inputs, targets)
    merged.save(tmp_path / "merged.keras")
    assert_same(merged, keras.models.load_model(tmp_path / "merged.keras"), inputs, atol=1e-6)


@builders(fast=language_model)
def test_adapters_are_small_and_fit_the_model_they_were_trained_on(build, tmp_path):
    model, inputs, targets = trained(build)
    finetuning.save(model, tmp_path / "base.npz")
    finetuning.enable_lora(model, rank=1, alpha=3)
    learn(model, inputs, targets)
    finetuning.save_adapters(model, tmp_path / "adapters.npz")
    base = finetuning.load(tmp_path / "base.npz")
    assert finetuning.load_adapters(base, tmp_path / "adapters.npz") is base
    assert_same(model, base, inputs)
    with np.load(tmp_path / "adapters.npz") as file:
        stored = {name for name in file if name != "about"}
    assert all(name.startswith(("lora", "kernel", "bias")) for name in stored)
    learn(base, inputs, targets)


@builders(fast=autoencoder)
def test_int8_is_near_and_a_quarter(build):
    model, inputs, _ = build()
    randomize(model)
    before = outputs_of(model, inputs)
    assert finetuning.quantize(model) is model
    after = outputs_of(model, inputs)
    spread = max(np.abs(one).max() for one in before)
    assert 0 < difference(before, after) < 0.1 * spread
    kernels = [layer._kernel for layer in finetuning.changes.dense_layers(model)]
    assert {keras.backend.standardize_dtype(kernel.dtype) for kernel in kernels} == {"int8"}


@pytest.mark.slow
def test_compiled_functions_do_not_hold_on_to_weights_that_are_gone():
    model, inputs, targets = trained(language_model)
    model.run_eagerly = False

    def every_way():
        assert not model.run_eagerly
        parts = model.decode(model.encode(inputs), inputs=inputs)
        return [model.predict(inputs, verbose=0), parts]

    assert difference(every_way(), 2 * outputs_of(model, inputs)) < 1e-5
    finetuning.quantize(model)
    assert difference(every_way(), 2 * outputs_of(model, inputs)) < 1e-5
    finetuning.enable_lora(model, rank=2)
    model.fit(inputs, targets, batch_size=4, verbose=0)
    assert difference(every_way(), 2 * outputs_of(model, inputs)) < 1e-5


def test_under_mixed_precision(tmp_path):
    model = kp.build_classifier((16, 16, 1), 3, dtype="mixed_bfloat16", **SIZES)
    finetuning.enable_lora(model, rank=2)
    learn(model, IMAGES, LABELS)
    finetuning.save(model, tmp_path / "model.npz")
    assert_same(model, finetuning.load(tmp_path / "model.npz"), IMAGES)


def test_a_model_that_is_not_compiled_stays_so(tmp_path):
    model = kp.build_classifier((5, 2), 3, **{**SIZES, "compile": False})
    finetuning.quantize(finetuning.enable_lora(model, rank=2))
    assert not model.compiled
    finetuning.save(model, tmp_path / "model.npz")
    assert not finetuning.load(tmp_path / "model.npz").compiled
    compiled = kp.build_classifier((5, 2), 3, **SIZES)
    finetuning.save(compiled, tmp_path / "model.npz")
    assert finetuning.load(tmp_path / "model.npz").compiled
    assert not finetuning.load(tmp_path / "model.npz", compile=False).compiled


def small():
    return kp.build_classifier((5, 2), 3, **SIZES)


def test_misuse_is_explained(tmp_path):
    model = small()  # what is refused leaves it as it was
    with pytest.raises(ValueError, match="`model` must be a model from one of the builders"):
        finetuning.enable_lora(keras.Sequential(), rank=2)
    with pytest.raises(ValueError, match="`rank` must be a whole number"):
        finetuning.enable_lora(model, rank=0)
    with pytest.raises(ValueError, match="`alpha` must be a finite number and above 0"):
        finetuning.enable_lora(model, rank=2, alpha=0)
    with pytest.raises(ValueError, match="`projections` must be one of"):
        finetuning.enable_lora(model, rank=2, projections=("keys",))
    with pytest.raises(ValueError, match="`projections` must name at least one layer"):
        finetuning.enable_lora(model, rank=2, projections=())
    with pytest.raises(ValueError, match="`model` must have LoRA"):
        finetuning.merge_lora(model)
    with pytest.raises(ValueError, match="`model` must have LoRA"):
        finetuning.save_adapters(model, tmp_path / "adapters.npz")
    with pytest.raises(ValueError, match="`path` must be in a folder that exists"):
        finetuning.save(model, tmp_path / "nowhere" / "model.npz")
    with pytest.raises(ValueError, match="`model` must have no LoRA yet"):
        finetuning.enable_lora(finetuning.enable_lora(model, rank=2), rank=2)
    with pytest.raises(ValueError, match="merge first, then quantize"):
        finetuning.merge_lora(finetuning.quantize(model))
    with pytest.raises(ValueError, match="`model` must be in floating point"):
        finetuning.quantize(model)


def test_bad_files_are_explained(tmp_path):
    path = tmp_path / "model.npz"
    with pytest.raises(ValueError, match="which does not exist"):
        finetuning.load(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match="something else or damaged"):
        finetuning.load(path)
    np.save(tmp_path / "model.npy", np.ones(3))
    with pytest.raises(ValueError, match="something else or damaged"):
        finetuning.load(tmp_path / "model.npy")
    np.savez(path, weights=np.ones(3))
    with pytest.raises(ValueError, match="something else or damaged"):
        finetuning.load(path)
    model = small()
    finetuning.save(model, path)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(ValueError, match="something else or damaged"):
        finetuning.load(path)
    finetuning.save_adapters(finetuning.enable_lora(model, rank=2), path)
    with pytest.raises(ValueError, match="which was written by kp.finetuning.save_adapters"):
        finetuning.load(path)
    wider = kp.build_classifier((5, 2), 3, **{**SIZES, "latent_dim": 10})
    with pytest.raises(ValueError, match="`path` must describe changes of this model"):
        finetuning.load_adapters(wider, path)
    finetuning.enable_lora(wider, rank=2)  # the refused file has left nothing behind
    with pytest.raises(ValueError, match="`model` must have 0 layers in int8"):
        finetuning.load_adapters(finetuning.quantize(small()), path)


def test_code_in_a_file_is_not_run(tmp_path):
    path = tmp_path / "model.npz"
    finetuning.save(small(), path)
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(arrays.pop("about").tobytes())
    about["config"]["inputs"] = keras.saving.serialize_keras_object(
        keras.layers.Lambda(lambda x: x, output_shape=(5, 2))
    )
    about = np.frombuffer(json.dumps(about).encode(), "uint8")
    sealed_arrays.write(path, {"about": about, **arrays})
    with pytest.raises(ValueError, match="lambda|Lambda"):
        finetuning.load(path)


def test_an_old_file_survives_a_failed_save(tmp_path, monkeypatch):
    model, path = small(), tmp_path / "model.npz"
    finetuning.save(model, path)
    old = path.read_bytes()

    def full(file, **arrays):
        file.write(b"some")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        finetuning.save(model, path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
