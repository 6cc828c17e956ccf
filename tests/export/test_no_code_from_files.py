"""A `.keras` file that asks for code to run is refused, as long as nobody asks for it."""

import json
import zipfile

import keras
import pytest

import keras_perceiver as kp
from tests.export.small import digits_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "model.keras"
    digits_model().save(path)
    return path


def changed(saved, path, change):
    """A copy of a `.keras` file with another description of the model."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return path


def harmful(place):
    """Code that would leave a file behind, in the forms Keras writes functions in."""
    import base64
    import marshal

    code = compile(f"lambda x: open({str(place)!r}, 'w')", "", "eval").co_consts[0]
    encoded = base64.b64encode(marshal.dumps(code)).decode()
    return {
        "a lambda": {
            "class_name": "__lambda__",
            "config": {"value": [encoded, None, None]},
        },
        "a function of another module": {
            "module": "os",
            "class_name": "function",
            "config": "system",
            "registered_name": "system",
        },
        "a class of another module": {
            "module": "subprocess",
            "class_name": "Popen",
            "config": {"args": ["touch", str(place)]},
            "registered_name": "Popen",
        },
        "a function of ours that is no activation's": {
            "module": "keras_perceiver.extras",
            "class_name": "function",
            "config": "require",
            "registered_name": "require",
        },
    }


@pytest.mark.parametrize("key", ["activation", "inputs", "outputs", "dtype"])
@pytest.mark.parametrize("which", sorted(harmful("")))
def test_code_in_the_description_of_a_model(saved, tmp_path, key, which):
    place = tmp_path / "harm"

    def change(config):
        config["config"][key] = harmful(place)[which]

    path = changed(saved, tmp_path / "bad.keras", change)
    with pytest.raises((ValueError, TypeError), match="Could not locate|Python lambda"):
        keras.saving.load_model(path)
    assert not place.exists()


def test_a_model_of_another_module(saved, tmp_path):
    def change(config):
        config.update(harmful(tmp_path / "harm")["a class of another module"])

    with pytest.raises((ValueError, TypeError), match="Could not locate"):
        keras.saving.load_model(changed(saved, tmp_path / "bad.keras", change))
    assert not (tmp_path / "harm").exists()


def test_lambda_layers(tmp_path):
    inputs = keras.Input((4, 3))
    encoder = kp.Array((4, 3))(inputs)
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(encoder))
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="(?i)lambda"):
        keras.saving.load_model(tmp_path / "model.keras")


def test_a_good_file_is_loaded(saved, tmp_path):
    path = changed(saved, tmp_path / "good.keras", lambda config: None)
    assert isinstance(keras.saving.load_model(path, compile=False), kp.Perceiver)
