"""Directories of transformers give models that compute what transformers computes."""

import json
import struct

import keras
import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp
from tests.checkpoints.small_models import FAMILIES, SmallModel

pytest.importorskip("safetensors")
TOLERANCE = {"fourier": 5e-5, "conv": 5e-5, "flow": 5e-5, "multimodal": 2e-3}


def answers(model, inputs):
    """The model's outputs by transformers' names, in transformers' layout."""
    feed = {name: inputs[name] for name in inputs if name in {t.name for t in model.inputs}}
    outputs = model(feed if isinstance(model.input, dict) else next(iter(feed.values())))
    if not isinstance(outputs, dict):
        return {"logits": ops.convert_to_numpy(outputs)}
    outputs = {name: ops.convert_to_numpy(array) for name, array in outputs.items()}
    batch = len(outputs["label"])
    return {
        "image": outputs["video"].reshape(batch, -1, 3),
        "audio": outputs["audio"].reshape(batch, -1),
        "label": outputs["label"],
    }


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("transformers")
    return {family: SmallModel(family).save(root / family) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_it_computes_what_transformers_computes(family, folders):
    small = SmallModel(family)
    model = kp.from_preset(folders[family])
    assert model.compiled
    found = answers(model, small.inputs)
    scale = 20 if family == "flow" else 1  # ours is in pixels
    assert set(found) == set(small.outputs) - {"wide_logits"}
    for name in found:
        expected = small.outputs[name]
        assert found[name].shape == expected.shape
        np.testing.assert_allclose(
            found[name], scale * expected, rtol=0, atol=scale * TOLERANCE.get(family, 1e-5)
        )


def test_the_mask_of_a_text_is_used_as_given(folders):
    """A further input takes any mask, of which padding is a special case."""
    small = SmallModel("language")
    model = kp.from_preset(folders["language"], masked=True, pad_id=None, compile=False)
    found = answers(model, small.inputs)
    np.testing.assert_allclose(found["logits"], small.outputs["logits"], rtol=0, atol=1e-5)


def test_numerics_of_deepmind_are_others(folders):
    for family in ("language", "learned", "conv"):
        small = SmallModel(family)
        model = kp.from_preset(folders[family], numerics="deepmind", compile=False)
        assert model.sizes.activation == "gelu_tanh"
        difference = np.abs(answers(model, small.inputs)["logits"] - small.outputs["logits"])
        assert difference.max() > 1e-4
    with pytest.raises(ValueError, match="`numerics` must be one of"):
        kp.from_preset(folders["language"], numerics="torch")


def test_a_name_gives_the_architecture():
    model = kp.from_preset(
        "perceiver_io_imagenet_fourier", height=8, width=8, num_latents=3, latent_dim=8
    )
    assert model.input_shape == (None, 8, 8, 3) and model.output_shape == (None, 1000)
    with pytest.raises(ValueError, match="`where` must be the name of a preset"):
        kp.from_preset("perceiver_io_imagenet_fourie")


def test_other_classes_have_a_fresh_head(folders, capsys):
    small = SmallModel("fourier")
    model = kp.from_preset(folders["fourier"], num_classes=2)
    assert (
        "Fresh, as there are other classes: classes_head/output/kernel" in capsys.readouterr().out
    )
    assert model.output_shape == (None, 2)
    whole = kp.from_preset(folders["fourier"])
    assert capsys.readouterr().out == ""
    for ours, theirs in zip(model.encoder.weights, whole.encoder.weights):
        np.testing.assert_array_equal(ours, theirs)
    model.run_eagerly = True
    model.fit(small.inputs["image"], np.array([0, 1]), verbose=0)


def test_fourier_positions_fit_any_image(folders):
    small = SmallModel("fourier")
    model = kp.from_preset(folders["fourier"], height=7, width=11, compile=False)
    found = ops.convert_to_numpy(model(small.inputs["wide"]))
    np.testing.assert_allclose(found, small.outputs["wide_logits"], rtol=0, atol=5e-5)
    model = kp.from_preset(folders["fourier"], height=1, width=17, compile=False)
    assert np.isfinite(ops.convert_to_numpy(model(np.ones((1, 1, 17, 3), "float32")))).all()


def test_learned_positions_are_cut_or_interpolated(folders, capsys):
    table = SmallModel("language").weights()[
        "perceiver.input_preprocessor.position_embeddings.weight"
    ]
    short = kp.from_preset(folders["language"], max_length=7, compile=False)
    assert "Learned positions for (7,) places instead of (11,)" in capsys.readouterr().out
    found = {weight.path: np.asarray(weight) for weight in short.weights}
    np.testing.assert_array_equal(found["text_inputs/positions/table"], table[:7])
    long = kp.from_preset(folders["language"], max_length=21, compile=False)
    found = {weight.path: np.asarray(weight) for weight in long.weights}
    np.testing.assert_allclose(found["text_inputs/positions/table"][::2], table, atol=1e-6)
    middle = (table[3] + table[4]) / 2
    np.testing.assert_allclose(found["text_inputs/positions/table"][7], middle, atol=1e-6)
    assert found["tokens_queries/table"].shape == (21, 16)
    larger = kp.from_preset(folders["learned"], height=12, width=9, compile=False)
    found = {weight.path: np.asarray(weight) for weight in larger.weights}
    assert found["image_inputs/positions/table"].shape == (108, 256)
    assert 0.1 < found["image_inputs/positions/table"].std() < 0.6
    logits = ops.convert_to_numpy(larger(np.ones((1, 12, 9, 3), "float32")))
    assert np.isfinite(logits).all()


def test_other_sizes_are_refused_with_names_and_shapes(folders):
    with pytest.raises(ValueError) as error:
        kp.from_preset(folders["fourier"], latent_dim=16)
    text = str(error.value)
    assert "weights whose shape differs" in text
    assert "latents/table (5, 16), but perceiver.embeddings.latents (5, 24)" in text
    with pytest.raises(TypeError, match="Did you mean `num_classes`"):
        kp.from_preset(folders["fourier"], num_clases=2)


def change(folder, small, **changes):
    weights = small.weights()
    for name, value in changes.items():
        if value is None:
            del weights[name]
        else:
            weights[name] = value
    return small.save(folder, weights)


def test_every_array_is_consumed_and_every_weight_is_filled(tmp_path):
    small = SmallModel("fourier")
    extra = {"perceiver.extra": np.zeros((2, 3), "float32")}
    missing = {"perceiver.embeddings.latents": None}
    with pytest.raises(ValueError) as error:
        kp.from_preset(change(tmp_path / "a", small, **extra, **missing))
    text = str(error.value)
    assert "latents/table (5, 24), called perceiver.embeddings.latents" in text
    assert "perceiver.extra (2, 3)" in text
    bias = "perceiver.decoder.decoder.final_layer.bias"
    with pytest.raises(ValueError, match=r"classes_head/output/bias \(7,\), but .* \(8,\)"):
        kp.from_preset(change(tmp_path / "b", small, **{bias: np.zeros(8, "float32")}))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    small = SmallModel("fourier")
    bad = small.weights()["perceiver.embeddings.latents"]
    bad[3, 5] = value
    with pytest.raises(ValueError, match="is damaged: perceiver.embeddings.latents has values"):
        kp.from_preset(change(tmp_path / "a", small, **{"perceiver.embeddings.latents": bad}))


def test_truncated_files_and_damaged_headers_are_refused(tmp_path, folders):
    good = (folders["fourier"] / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", good[:8])
    for number, bad in enumerate(
        [b"", good[:7], good[:100], good[: length + 8], good[:-1], good + b"\0",
         b"\xff" + good[1:], good[:20] + b"\xff" + good[21:]]
    ):  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "config.json").write_text(SmallModel("fourier").config)
        (folder / "model.safetensors").write_bytes(bad)
        with pytest.raises(ValueError, match="truncated or damaged"):
            kp.from_preset(folder)


def test_pickles_of_pytorch_are_refused(tmp_path):
    (tmp_path / "config.json").write_text(SmallModel("fourier").config)
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK")
    with pytest.raises(ValueError, match="Use the model.safetensors"):
        kp.from_preset(tmp_path)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model_type": "bert"}, "must describe a Perceiver"),
        ({"architectures": ["PerceiverModel"]}, "must have one of the architectures"),
        ({"use_query_residual": False}, "use_query_residual=False; only True"),
    ],
)
def test_other_configs_are_refused(tmp_path, changes, message):
    small = SmallModel("fourier")
    config = {**json.loads(small.config), **changes}
    small.save(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=message):
        kp.from_preset(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="is missing or damaged"):
        kp.from_preset(tmp_path)


def test_weights_in_several_files(tmp_path):
    from safetensors.numpy import save_file

    small = SmallModel("fourier")
    weights = small.weights()
    names = sorted(weights)
    (tmp_path / "config.json").write_text(small.config)
    files = {
        "model-00001-of-00002.safetensors": names[:30],
        "model-00002-of-00002.safetensors": names[30:],
    }
    for file, part in files.items():
        save_file({name: weights[name] for name in part}, tmp_path / file)
    index = {"weight_map": {name: file for file, part in files.items() for name in part}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    model = kp.from_preset(tmp_path, compile=False)
    found = answers(model, small.inputs)["logits"]
    np.testing.assert_allclose(found, small.outputs["logits"], rtol=0, atol=5e-5)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ValueError, match="lacks the files"):
        kp.from_preset(tmp_path)


def test_half_precision_files(tmp_path):
    small = SmallModel("fourier")
    weights = {
        name: value.astype("float16") if value.dtype == "float32" else value
        for name, value in small.weights().items()
    }
    model = kp.from_preset(small.save(tmp_path, weights), compile=False)
    assert {weight.dtype for weight in model.weights} == {"float32"}
    found = answers(model, small.inputs)["logits"]
    np.testing.assert_allclose(found, small.outputs["logits"], rtol=0, atol=0.05)


def test_the_hub_is_asked_once_for_a_pinned_revision(folders, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def snapshot_download(name, revision=None, allow_patterns=()):
        asked.append((name, revision))
        assert "*.bin" not in allow_patterns
        return str(folders["language"])

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    model = kp.from_preset("hf://deepmind/language-perceiver", revision="abc", compile=False)
    assert asked == [("deepmind/language-perceiver", "abc")]
    assert model.output_shape == (None, 11, 262)
    with pytest.raises(ValueError, match="must be like 'hf://user/name'"):
        kp.from_preset("hf://language-perceiver")


def test_mixed_precision(folders):
    model = kp.from_preset(folders["fourier"], dtype="mixed_bfloat16", compile=False)
    assert isinstance(model, keras.Model)
    small = SmallModel("fourier")
    found = ops.convert_to_numpy(ops.cast(model(small.inputs["image"]), "float32"))
    np.testing.assert_allclose(found, small.outputs["logits"], rtol=0, atol=0.1)
