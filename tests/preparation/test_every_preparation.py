"""What holds for every preparation: it is saved, loaded and served."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 9, 11, 3)).astype("uint8")
CLIP = {"frames": 2, "height": 4, "width": 4, "num_samples": 6, "num_classes": 2}
CASES = {  # a layer with no argument at its default, and arguments of its call
    "image": (
        lambda: kp.preparation.ImagePreparation(
            7,
            5,
            "huggingface",
            crop_fraction=0.7,
            mean=(0.1, 0.2, 0.3),
            std=(0.4, 0.5, 0.6),
            class_names=["a", "b"],
            max_pixels=10**5,
            name="prepare",
        ),
        (PIXELS,),
    ),
    "text": (
        lambda: kp.preparation.TextPreparation(9, True, mask_token="<hidden>"),
        (np.array(["a<hidden>", "bcd"]), np.array(["", "efgh"])),
    ),
    "text alone": (
        lambda: kp.preparation.TextPreparation(9, masked=False, mask_token=None),
        (np.array(["a", "bcd"]),),
    ),
    "flow": (
        lambda: kp.preparation.FlowPreparation(5, 7, 2, max_pixels=10**5),
        (PIXELS, PIXELS[::-1]),
    ),
    "clip": (
        lambda: kp.preparation.ClipPreparation(
            **CLIP, sampling_rate=8000, class_names=["a", "b"], max_pixels=10**5
        ),
        (PIXELS[None], np.random.default_rng(1).uniform(-1, 1, (1, 9, 2)).astype("float32")),
    ),
}


def arrays(outputs):
    outputs = outputs if isinstance(outputs, dict) else {"only": outputs}
    return {key: np.asarray(value) for key, value in outputs.items()}


def same(outputs, wanted):
    outputs, wanted = arrays(outputs), arrays(wanted)
    assert outputs.keys() == wanted.keys()
    for key, value in wanted.items():
        np.testing.assert_allclose(outputs[key], value, atol=1e-6)


@pytest.fixture(params=CASES)
def case(request):
    make, arguments = CASES[request.param]
    return make(), arguments


def test_it_comes_back_from_its_config(case):
    layer, arguments = case
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(layer) and copy.get_config() == layer.get_config()
    same(copy(*arguments), layer(*arguments))


def test_its_config_has_every_argument():
    """Otherwise, a loaded layer would silently have the default."""
    import inspect

    for make, _ in CASES.values():
        layer = make()
        parameters = inspect.signature(type(layer).__init__).parameters.values()
        names = {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD} - {"self"}
        assert names <= set(layer.get_config())


def test_it_is_a_part_of_a_model_and_of_its_file(case, tmp_path):
    layer, arguments = case
    inputs = []
    for i, value in enumerate(arguments):
        is_text = value.dtype.kind == "U"
        shape = (None,) * (value.ndim - 2) + (value.shape[-1],) if value.ndim > 1 else ()
        dtype = "string" if is_text else str(value.dtype)
        inputs.append(keras.Input(shape, dtype=dtype, name=f"raw_{i}"))
    model = keras.Model(inputs, layer(*inputs))
    tensors = [tf.constant(value) for value in arguments]
    wanted = layer(*arguments)
    same(model(tensors), wanted)
    model.save(tmp_path / "model.keras")
    same(keras.saving.load_model(tmp_path / "model.keras")(tensors), wanted)


def test_it_is_served(case, tmp_path):
    layer, arguments = case
    module = tf.Module()
    module.layer = layer
    tensors = [tf.constant(value) for value in arguments]
    specs = [
        tf.TensorSpec((None,) * (x.shape.rank - 1) + (x.shape[-1],), x.dtype)
        if x.shape.rank > 1
        else tf.TensorSpec((None,), x.dtype)
        for x in tensors
    ]

    @tf.function(input_signature=specs)
    def serve(*values):
        outputs = layer(*values)
        return outputs if isinstance(outputs, dict) else {"only": outputs}

    tf.saved_model.save(module, str(tmp_path / "served"), signatures=serve)
    loaded = tf.saved_model.load(str(tmp_path / "served"))
    names = loaded.signatures["serving_default"].structured_input_signature[1]
    outputs = loaded.signatures["serving_default"](**dict(zip(sorted(names), tensors)))
    same(outputs, layer(*arguments))


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
def test_the_global_dtype_policy_changes_nothing(case, policy):
    layer, arguments = case
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        config = {k: v for k, v in layer.get_config().items() if k not in ("dtype", "name")}
        same(type(layer)(**config)(*arguments), layer(*arguments))
    finally:
        keras.config.set_dtype_policy(before)


def test_a_dtype_of_its_own(case):
    layer, arguments = case
    half = type(layer).from_config({**layer.get_config(), "dtype": "float16"})
    for key, value in arrays(half(*arguments)).items():
        wanted = arrays(layer(*arguments))[key]
        assert value.dtype == ("float16" if wanted.dtype == "float32" else wanted.dtype)
        np.testing.assert_array_equal(value, wanted.astype(value.dtype))  # rounded at the end alone


def test_exports_take_it_for_bytes():
    """`kp.export.saved_model(model, path, prepare={"image": ImagePreparation(7, 5)})`"""
    from keras_perceiver.export.preparation import preparations

    prepare = kp.preparation.ImagePreparation(7, 5)
    decode = preparations({"image": kp.Image(7, 5)}, {"image": prepare})["image"]
    encoded = [tf.io.encode_png(image).numpy() for image in PIXELS]
    np.testing.assert_allclose(decode(tf.constant(encoded)), prepare(PIXELS), atol=1e-6)
