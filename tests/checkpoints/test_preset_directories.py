"""`save_to_preset` and back: bit for bit, whole or refused."""

import json
import re

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import randomize, to_numpy

SIZES = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
}
CLIP = {"video": kp.Video(2, 4, 4), "audio": kp.Audio(12, 4), "label": kp.Labels(7)}
BUILDERS = {
    "classifier": lambda: kp.build_classifier((5, 7, 2), 3, **SIZES),
    "series": lambda: kp.build_classifier((29, 2), 3, **SIZES),
    "table": lambda: kp.build_classifier(kp.Table(4, (3,)), 2, **SIZES),
    "segmenter": lambda: kp.build_segmenter((5, 3, 2), 4, **SIZES),
    "language": lambda: kp.build_masked_language_model(6, dim=8, **SIZES),
    "autoencoder": lambda: kp.build_autoencoder(CLIP, **SIZES),
    "flow": lambda: kp.build_optical_flow(5, 7, stem_channels=4, **SIZES),
    "entities": lambda: kp.build_entity_encoder(5, 3, 4, pooled_channels=2, latent_dim=8),
    "multitask": lambda: kp.build_multitask_classifier(kp.Text(5, dim=8), {"a": 2}, **SIZES),
    "io": lambda: kp.build_perceiver_io(
        {"set": kp.Points(5, 2)}, {"value": kp.Values(2), "at": kp.AtPoints(2, channels=1)}, **SIZES
    ),
}


def feed(model):
    random = np.random.default_rng(0)

    def draw(tensor):
        shape = [2, *(4 if size is None else size for size in tensor.shape[1:])]
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        if dtype == "bool":
            return np.ones(shape, bool)
        return (
            random.integers(0, 2, shape) if "int" in dtype else random.normal(size=shape)
        ).astype(dtype)

    return keras.tree.map_structure(draw, model.input)


SOME = ("table", "language", "autoencoder")  # before each commit
OTHERS = (pytest.mark.slow, pytest.mark.everywhere)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SOME else OTHERS) for name in BUILDERS]
)
def test_each_builder_comes_back_bit_for_bit(name, tmp_path):
    model = randomize(BUILDERS[name]())
    model.save_to_preset(tmp_path / "saved")
    loaded = kp.from_preset(tmp_path / "saved")
    assert [w.path for w in loaded.weights] == [w.path for w in model.weights]
    for ours, theirs in zip(loaded.weights, model.weights):
        np.testing.assert_array_equal(to_numpy(ours), to_numpy(theirs))
    expected, found = to_numpy(model(feed(model))), to_numpy(loaded(feed(model)))
    keras.tree.map_structure(np.testing.assert_array_equal, found, expected)
    assert loaded.get_config() == model.get_config()
    assert loaded.compiled and type(loaded.optimizer) is type(model.optimizer)
    assert json.dumps(loaded.get_compile_config()) == json.dumps(model.get_compile_config())


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "saved"
    model = randomize(kp.build_classifier(kp.Image(5, 7, 2), 3, **SIZES))
    model.save_to_preset(folder)
    return model, folder


def test_what_is_written(saved):
    model, folder = saved
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "metadata.json",
        "model.weights.h5",
        "README.md",
    }
    config = json.loads((folder / "config.json").read_text())
    assert config["registered_name"] == "keras_perceiver>Perceiver"
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["parameter_count"] == model.count_params()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d", metadata["date_saved"])
    assert (folder / "README.md").read_text().startswith("---\nlibrary_name: keras\n")
    size = (folder / "model.weights.h5").stat().st_size
    assert size < 2 * 4 * model.count_params() + 200_000  # without the optimizer's


def test_the_model_is_as_it_was(saved):
    model, folder = saved
    optimizer = model.optimizer
    model.save_to_preset(folder, overwrite=True)
    assert model.optimizer is optimizer is not None


def test_a_folder_with_files_is_left_alone(saved, tmp_path):
    model, _ = saved
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="must be new or empty, or overwrite=True"):
        model.save_to_preset(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    model.save_to_preset(tmp_path, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    with pytest.raises(ValueError, match="`directory` must be a folder"):
        model.save_to_preset(tmp_path / "mine.txt")
    for wrong in (7, None):
        with pytest.raises((ValueError, TypeError), match="`directory` must be"):
            model.save_to_preset(wrong)


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_flipped_bit_or_a_cut_is_noticed(saved, name, tmp_path):
    model, _ = saved
    model.save_to_preset(tmp_path / "a")
    path = tmp_path / "a" / name
    content = path.read_bytes()
    for bad in (content[:-1], content[:100] + bytes([content[100] ^ 1]) + content[101:], b""):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="is truncated or damaged: its checksum"):
            kp.from_preset(tmp_path / "a")
    path.unlink()
    with pytest.raises(ValueError, match="lacks the file|must be the name|is missing or damaged"):
        kp.from_preset(tmp_path / "a")
    (tmp_path / "a" / "metadata.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        kp.from_preset(tmp_path / "a")


@pytest.mark.tensorflow
def test_changed_layers_are_refused(tmp_path):
    model = kp.build_classifier(kp.Image(4, 4, 1), 3, **SIZES)
    kp.finetuning.enable_lora(model, rank=2)
    with pytest.raises(ValueError, match="Merge the adapters first"):
        model.save_to_preset(tmp_path / "a")
    assert not (tmp_path / "a").exists() and not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.everywhere
def test_changes_on_the_way_back(saved, capsys):
    model, folder = saved
    other = kp.from_preset(folder, num_classes=5, height=9)
    assert "Fresh: classes_head/output/kernel" in capsys.readouterr().out
    assert other.output_shape == (None, 5) and other.input_shape == (None, 9, 7, 2)
    assert other.compiled
    for ours, theirs in zip(other.encoder.weights, model.encoder.weights):
        np.testing.assert_array_equal(to_numpy(ours), to_numpy(theirs))
    with pytest.raises(ValueError, match="must leave the weights of .* in place"):
        kp.from_preset(folder, latent_dim=16)
    with pytest.raises(TypeError, match="Did you mean `num_classes`"):
        kp.from_preset(folder, num_clases=2)
    assert not kp.from_preset(folder, compile=False).compiled
    tuned = kp.from_preset(folder, learning_rate=0.25, num_classes=5)
    assert float(tuned.optimizer.learning_rate) == 0.25 and tuned.output_shape == (None, 5)
    with pytest.raises(ValueError, match="`learning_rate` must be"):
        kp.from_preset(folder, learning_rate=-1)


def test_upload_is_tried_without_a_network(saved, tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    _, folder = saved
    called = []

    class Api:
        def create_repo(self, name, private, exist_ok):
            called.append(("create", name, private))

        def upload_folder(self, repo_id, folder_path, allow_patterns):
            called.append(("upload", repo_id, folder_path, tuple(allow_patterns)))

    monkeypatch.setattr(hub, "HfApi", Api)
    files = ["config.json", "metadata.json", "model.weights.h5", "README.md"]
    assert kp.upload_preset("hf://me/flowers", folder, dry_run=True) == files
    assert called == []
    kp.upload_preset("hf://me/flowers", folder, private=True)
    assert called == [
        ("create", "me/flowers", True),
        ("upload", "me/flowers", str(folder), tuple(files)),
    ]
    for address in ("me/flowers", "hf://flowers", "hf://a/b/c", 7):
        with pytest.raises(ValueError, match="must be like 'hf://user/name'"):
            kp.upload_preset(address, folder, dry_run=True)
    with pytest.raises(ValueError, match="must be a directory of model.save_to_preset"):
        kp.upload_preset("hf://me/flowers", tmp_path, dry_run=True)


def test_a_damaged_file_of_the_cache_is_noticed(tmp_path, monkeypatch):
    """The hub's cache stores large files under their checksum."""
    hub = pytest.importorskip("huggingface_hub")
    blob = tmp_path / ("0" * 64)
    blob.write_bytes(b"x")
    (tmp_path / "model.safetensors").symlink_to(blob)
    monkeypatch.setattr(hub, "snapshot_download", lambda *args, **kwargs: str(tmp_path))
    with pytest.raises(ValueError, match="is damaged: its checksum is not its name"):
        kp.from_preset("hf://me/flowers")
