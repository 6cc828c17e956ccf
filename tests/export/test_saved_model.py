"""What is written for TensorFlow Serving answers as the model does, in plain TensorFlow."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.export.small import PERCEIVER_SIZES, SIZES, Session, ask, many_things_request, png, wav

# A process of its own, where neither this package nor Keras can be imported: arguments are pairs of
# a SavedModel and a file of requests; answers go beside the requests.
PLAIN = """
import sys
sys.modules["keras_perceiver"] = sys.modules["keras"] = None
import numpy as np, tensorflow as tf
for path, file in zip(sys.argv[1::2], sys.argv[2::2]):
    model = tf.saved_model.load(path)
    request = {name: tf.constant(value) for name, value in np.load(file).items()}
    answer = model.signatures["serving_default"](**request)
    np.savez(file + ".answer.npz", **{name: value.numpy() for name, value in answer.items()})
assert sys.modules["keras_perceiver"] is None
assert not any(name.startswith("keras_perceiver.") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def loaded_digits(digits):
    return tf.saved_model.load(digits[1])


@pytest.fixture(scope="module")
def loaded_things(many_things):
    return tf.saved_model.load(many_things[1])


@pytest.fixture(scope="module")
def session_of_digits(digits):
    return Session(digits[1])


def model_answer(model, request):
    inputs = request if isinstance(model.input, dict) else next(iter(request.values()))
    answer = model(inputs, training=False)
    answer = answer if isinstance(answer, dict) else {"classes": answer}
    return {name: keras.ops.convert_to_numpy(value) for name, value in answer.items()}


def assert_alike(found, wanted, atol=2e-5):
    assert sorted(found) == sorted(wanted)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=atol, err_msg=name)


@pytest.mark.slow
def test_a_fresh_process_without_this_package_answers_alike(digits, many_things, tmp_path):
    images = np.random.default_rng(0).random((3, 8, 8, 1)).astype("float32")
    requests = [{"array": images}, many_things_request(batch=3)]
    arguments = []
    for number, ((_, path), request) in enumerate(zip((digits, many_things), requests)):
        file = tmp_path / f"{number}.npz"
        np.savez(file, **request)
        arguments += [str(path), str(file)]
    run = subprocess.run([sys.executable, "-c", PLAIN, *arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    for (model, _), request, file in zip((digits, many_things), requests, arguments[1::2]):
        assert_alike(np.load(file + ".answer.npz"), model_answer(model, request))


@pytest.mark.slow
def test_the_signatures(loaded_digits, loaded_things):
    things = sorted(many_things_request())
    for loaded, names in ((loaded_digits, ["array"]), (loaded_things, things)):
        assert set(loaded.signatures) == {"serving_default", "serve_bytes", "encode", "decode"}
        taken = loaded.signatures["serving_default"].structured_input_signature[1]
        assert sorted(taken) == names


@pytest.mark.slow
def test_a_session_answers_alike(digits, many_things, session_of_digits):
    images = np.random.default_rng(0).random((3, 8, 8, 1)).astype("float32")
    for (model, _), session, request in (
        (digits, session_of_digits, {"array": images}),
        (many_things, Session(many_things[1]), many_things_request()),
    ):
        assert_alike(session.ask("serving_default", request), model_answer(model, request))


def test_pictures_are_prepared_as_for_training(digits, loaded_digits):
    model, loaded = digits[0], loaded_digits
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1)).astype("uint8")
    wanted = model_answer(model, {"array": pictures / np.float32(255)})
    request = {"array": [png(picture) for picture in pictures]}
    assert_alike(ask(loaded, "serve_bytes", request), wanted)
    # Another size is stretched, as `kp.data.image_pixels` does it in tf.data.
    larger = png(np.random.default_rng(1).integers(0, 256, (13, 11, 3)).astype("uint8"))
    pixels = kp.data.image_pixels(larger, 8, 8, 1)
    wanted = model_answer(model, {"array": pixels[None]})
    assert_alike(ask(loaded, "serve_bytes", {"array": [larger]}), wanted)


@pytest.mark.slow
def test_bytes_of_several_inputs(many_things, loaded_things):
    model, _ = many_things
    request = many_things_request()
    pictures = (request["image"] * 255).astype("uint8")
    texts = ["zwölf", "a longer text"]
    sounds = [wav(sound) for sound in request["sound"]]
    tensors = {
        **request,
        "image": pictures / np.float32(255),
        "text": kp.text_to_ids(texts, max_length=9),
        "sound": np.stack([kp.data.wav_samples(sound, 28) for sound in sounds]),
    }
    by_bytes = {
        **request,
        "image": [png(picture) for picture in pictures],
        "text": [text.encode() for text in texts],
        "sound": sounds,
    }
    assert_alike(ask(loaded_things, "serve_bytes", by_bytes), model_answer(model, tensors))


@pytest.mark.slow
def test_encoding_once_and_decoding_at_other_points(many_things, loaded_things):
    model, loaded = many_things[0], loaded_things
    request = many_things_request()
    encoder = {name: request[name] for name in request if name != "field_points"}
    latents = ask(loaded, "encode", encoder)["latents"]
    np.testing.assert_allclose(latents, model.encode(encoder), atol=1e-5)
    for points in (np.zeros((2, 3, 2), "float32"), request["field_points"]):
        found = ask(
            loaded, "decode", {"latents": latents, "text": request["text"], "field_points": points}
        )
        assert_alike(found, model_answer(model, {**request, "field_points": points}))


def test_sizes_are_open_where_no_weight_has_them(digits, loaded_digits):
    model, _ = digits
    images = np.random.default_rng(0).random((2, 5, 11, 1)).astype("float32")
    # The same frequencies on another grid: a model made for it, with this one's weights.
    array = kp.Array((5, 11, 1), num_bands=4, max_resolution=(8, 8))
    other = kp.build_classifier(array, num_classes=10, **SIZES)
    other.set_weights(model.get_weights())
    found = ask(loaded_digits, "serving_default", {"array": images})
    assert_alike(found, model_answer(other, {"array": images}))


@pytest.mark.slow
def test_a_long_axis_of_open_size_is_served_alike(tmp_path):
    """Angles of up to 48,000 radians: float32 alone would be off by 1e-2."""
    series = kp.Array((30_720, 1), num_bands=64)
    model = kp.build_classifier(series, num_classes=3, **SIZES)
    for weight in model.weights:  # so that positions matter
        if "encoder_cross_attention" in weight.path and weight.path.endswith("kernel"):
            weight.assign(weight.value * 3.0)
    loaded = tf.saved_model.load(kp.export.saved_model(model, tmp_path / "series"))
    served = loaded.signatures["serving_default"]
    assert served.structured_input_signature[1]["array"].shape == (None, None, 1)
    data = np.random.default_rng(0).normal(size=(2, 30_720, 1)).astype("float32")
    found = ask(loaded, "serving_default", {"array": data})["classes"]
    wanted = model_answer(model, {"array": data})["classes"]
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.slow
def test_texts_may_be_shorter(many_things, loaded_things):
    model, loaded = many_things[0], loaded_things
    request = many_things_request()
    request["text"][:, 4:] = 0
    shorter = ask(loaded, "serving_default", {**request, "text": request["text"][:, :4]})
    longer = model_answer(model, request)
    assert shorter["letters"].shape == (2, 4, 262)
    assert_alike(shorter, {**longer, "letters": longer["letters"][:, :4]})


def more(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "inputs, outputs, wanted",
    [
        (kp.Array((6, 4)), kp.Classes(3), (None, None, 4)),
        more(kp.Array((6, 4), positions="none"), kp.Classes(3), (None, None, 4)),
        (kp.Array((6, 4), positions="learned"), kp.Classes(3), (None, 6, 4)),
        more(kp.Array((6, 4)), kp.PerInput(channels=2), (None, 6, 4)),
        (kp.Image(4, 8, stem="patches", patch_size=2), kp.Values(1), (None, None, None, 3)),
        more(kp.Image(4, 8, stem="conv"), kp.Values(1), (None, None, None, 3)),
        more(kp.Video(2, 4, 8), kp.Values(1), (None, None, None, None, 3)),
        (kp.FramePair(4, 8), kp.Flow(), (None, 2, 4, 8, 3)),
        (kp.FramePair(9, 8, stem="conv"), kp.Flow(hidden_channels=5), (None, 2, 9, 8, 3)),
        (kp.Audio(12, 4), kp.Classes(3), (None, 12, 1)),
        more(kp.Points(5), kp.Classes(3), (None, None, 3)),
        (kp.Text(7, dim=8), kp.PerInput(num_classes=3), (None, None)),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_which_sizes_are_open(inputs, outputs, wanted):
    from keras_perceiver.export.rebuilt import rebuilt

    model = kp.Perceiver(inputs, outputs, **PERCEIVER_SIZES)
    opened = rebuilt(model, open_sizes=True)
    assert tuple(opened.inputs[0].shape) == wanted
    shape = [2 if n is None else n for n in model.inputs[0].shape]
    dtype = model.inputs[0].dtype
    data = np.random.default_rng(0).uniform(1, 3, shape).astype(dtype)
    have, want = opened(data), model(data)
    assert have.shape == want.shape
    np.testing.assert_allclose(have, want, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["lora", "int8"])
def test_a_model_with_other_weights_than_it_was_built_with(change, tmp_path):
    model = kp.build_classifier((6, 4), num_classes=3, **SIZES)
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.Dense):
            layer.enable_lora(2) if change == "lora" else layer.quantize("int8")
    loaded = tf.saved_model.load(kp.export.saved_model(model, tmp_path / "changed"))
    served = loaded.signatures["serving_default"]
    assert served.structured_input_signature[1]["array"].shape == (None, 6, 4)
    data = np.random.default_rng(0).random((2, 6, 4)).astype("float32")
    found = ask(loaded, "serving_default", {"array": data})
    assert_alike(found, model_answer(model, {"array": data}))


@pytest.mark.parametrize("open_sizes", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_half_precision_stays_inside_and_sizes_where_that_is_wanted(open_sizes, tmp_path):
    model = kp.build_classifier((6, 4), num_classes=3, dtype="mixed_float16", **SIZES)
    path = kp.export.saved_model(model, tmp_path / "half", open_sizes=open_sizes)
    loaded = tf.saved_model.load(path)
    (taken,) = loaded.signatures["serving_default"].structured_input_signature[1].values()
    assert taken.shape == ((None, None, 4) if open_sizes else (None, 6, 4))
    data = np.random.default_rng(0).random((2, 6, 4)).astype("float32")
    latents = ask(loaded, "encode", {"array": data})["latents"]
    assert latents.dtype == "float32"
    found = ask(loaded, "decode", {"latents": latents})
    assert_alike(found, model_answer(model, {"array": data}), atol=0.02)


@pytest.mark.slow
def test_a_preparation_of_your_own(tmp_path):
    def doubled(encoded):
        return 2 * kp.data.image_pixels(encoded, 6, 4, 3)

    model = kp.build_classifier((6, 4, 3), num_classes=3, **SIZES)
    path = kp.export.saved_model(model, tmp_path / "own", prepare={"array": doubled})
    picture = np.random.default_rng(0).integers(0, 256, (6, 4, 3)).astype("uint8")
    found = ask(tf.saved_model.load(path), "serve_bytes", {"array": [png(picture)]})
    assert_alike(found, model_answer(model, {"array": picture[None] / np.float32(255) * 2}))
    path = kp.export.saved_model(model, tmp_path / "own", prepare={"array": None})
    assert path.name == "2"
    assert "serve_bytes" not in tf.saved_model.load(path).signatures


@pytest.mark.slow
def test_class_names_are_assets(digits, many_things):
    _, path = digits
    assert (path / "assets" / "class_names.txt").read_text() == "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"
    _, path = many_things
    names = (path / "assets" / "label_class_names.txt").read_text().splitlines()
    assert names == ["cat", "dog", "bird of prey"]


@pytest.mark.slow
def test_the_warm_up_file_is_what_the_server_reads(
    digits, many_things, loaded_digits, loaded_things
):
    logs = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    for (_, path), loaded, name in (
        (digits, loaded_digits, "digits"),
        (many_things, loaded_things, "many-things"),
    ):
        file = path / "assets.extra" / "tf_serving_warmup_requests"
        seen = set()
        for record in tf.data.TFRecordDataset([str(file)]).as_numpy_iterator():
            request = logs.PredictionLog.FromString(record).predict_log.request
            assert request.model_spec.name == name
            tensors = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            ask(loaded, request.model_spec.signature_name, tensors)
            seen.add(request.model_spec.signature_name)
        assert seen == set(loaded.signatures)


@pytest.mark.slow
def test_the_signature_as_a_server_tells_it(session_of_digits):
    """What /metadata shows is made from this."""
    from google.protobuf import json_format

    signatures = session_of_digits.meta.signature_def
    told = json.loads(json_format.MessageToJson(signatures["serve_bytes"]))
    assert told["inputs"]["array"]["dtype"] == "DT_STRING"
    assert [d["size"] for d in told["outputs"]["classes"]["tensorShape"]["dim"]] == ["-1", "10"]
