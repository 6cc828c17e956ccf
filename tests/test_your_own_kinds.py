"""The page on inputs and outputs of your own: its code, and all that it promises of it."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, randomize, to_numpy

PAGE = Path(__file__).parents[1] / "docs" / "your_own_kinds.md"
SIZES = {
    "num_latents": 5,
    "latent_dim": 12,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "jit_compile": False,
}


@pytest.fixture(scope="module")
def page():
    """What the code of the page defines."""
    names = {"__name__": "stars"}
    for block in re.findall("```python\n(.*?)```", PAGE.read_text(), re.S):
        exec(compile(block, str(PAGE), "exec"), names)
    return names


@pytest.fixture(scope="module")
def model(page):
    inputs = {
        "spectrum": page["Spectrum"](7, masked=True, may_be_missing=True),
        "kind": kp.Labels(3),
    }
    outputs = {
        "temperature": page["Quantiles"](),
        "lines": kp.PerInput("spectrum", num_classes=2),
        "kind": kp.Classes(3),
    }
    return randomize(kp.build_perceiver_io(inputs, outputs, **SIZES))


RAW = {
    "spectrum": np.abs(normal(4, 7, 2)) * [500.0, 1.0],
    "spectrum_mask": np.array([[True] * 5 + [False] * 2] * 4),
    "spectrum_present": np.array([[True], [True], [False], [True]]),
    "kind": normal(4, 3),
}
TARGETS = {
    "temperature": normal(4, 1),
    "lines": np.ones((4, 7), int),
    "kind": np.array([0, 2, 1, 1]),
}


def test_the_page_is_short(page):
    """Some thirty lines each."""
    code = re.findall("```python\n(.*?)```", PAGE.read_text(), re.S)
    for name in ("Spectrum", "Quantiles"):
        text = "".join(code).split(f"class {name}(")[1].split("\n@keras")[0].split("\nmodel =")[0]
        assert len(text.strip().splitlines()) <= 32


def test_it_is_the_model_of_the_page(page):
    assert page["model"].count_params() == kp.costs(page["model"]).parameters


def test_costs(model, page):
    assert kp.costs(model, batch=2).parameters == model.count_params()
    described = {
        "inputs": {"spectrum": page["Spectrum"](7, masked=True), "kind": kp.Labels(3)},
        "outputs": {"temperature": page["Quantiles"]()},
    }
    more = kp.costs({**described, "inputs": {**described["inputs"], "b": kp.Labels(3)}})
    assert more.parameters > kp.costs(described).parameters


def test_encode_and_decode_in_chunks(model):
    whole = to_numpy(model(RAW))
    latents = model.encode(RAW)
    found = model.decode(latents, inputs=RAW, chunk_size=3)
    for name in whole:
        np.testing.assert_allclose(found[name], whole[name], atol=1e-5, err_msg=name)
    some = model.decode(latents, "lines", inputs=RAW, indices=[6, 0])
    np.testing.assert_allclose(some, whole["lines"][:, [6, 0]], atol=1e-5)


def test_the_mask_and_the_flag_hide(model):
    hidden = {name: array.copy() for name, array in RAW.items()}
    hidden["spectrum"][:, 5:] = 7.0
    hidden["spectrum"][2] = 11.0
    before, after = to_numpy([model(RAW), model(hidden)])
    np.testing.assert_array_equal(before["temperature"], after["temperature"])


@pytest.mark.tensorflow
def test_fit_and_keras_file(model, tmp_path):
    trained = kp.Perceiver.from_config(model.get_config())
    trained.set_weights(model.get_weights())
    trained.compile_from_config(model.get_compile_config())
    trained.run_eagerly = True  # tracing takes far longer than these steps
    losses = trained.fit(RAW, TARGETS, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    trained.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    trained.run_eagerly = False
    wanted = trained.predict(RAW, verbose=0)
    for name, found in loaded.predict(RAW, verbose=0).items():
        np.testing.assert_allclose(found, wanted[name], atol=1e-6)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_saved_model(model, tmp_path):
    import tensorflow as tf

    served = tf.saved_model.load(str(kp.export.saved_model(model, tmp_path / "stars")))
    request = {name: tf.constant(np.asarray(array, None)) for name, array in RAW.items()}
    request = {n: tf.cast(t, "float32") if t.dtype == tf.float64 else t for n, t in request.items()}
    answer = served.signatures["serving_default"](**request)
    for name, expected in to_numpy(model(RAW)).items():
        np.testing.assert_allclose(answer[name], expected, atol=1e-5)


def test_attention_maps(model):
    maps = kp.visualization.attention_maps(model, RAW)
    assert {key: of["spectrum"].shape for key, of in maps.items()} == {
        "temperature": (4, 1, 7),
        "lines": (4, 7, 7),
        "kind": (4, 1, 7),
    }
    spectrum, kind = (maps["temperature"][name][:, 0] for name in ("spectrum", "kind"))
    np.testing.assert_allclose(spectrum.sum(-1) + kind.sum(-1), 1, atol=1e-5)
    assert spectrum[0, -2:].max() < 1e-6 and spectrum[0, :5].min() > 0
