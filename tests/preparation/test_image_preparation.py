"""Images in both conventions, against tf.image and Pillow, and the names of classes."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SIZES = [(1, 1), (1, 7), (2, 3), (13, 17), (31, 37), (37, 31), (64, 53), (11, 101)]


def noise(*shape, seed=0):
    """The hardest images to resize: neighbours have nothing in common."""
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype("uint8")


def window(image, start):
    height, width = image.shape[:2]
    side = max(int(0.875 * min(height, width)), 1)
    top, left = start(height - side), start(width - side)
    return image[top : top + side, left : left + side]


def deepmind(image, size):
    crop = window(image, lambda rest: (rest + 1) // 2)
    return (tf.image.resize(crop, (size, size), "bicubic") - 255 * MEAN) / (255 * STD)


def levels(prepared):
    return np.asarray(prepared, "float64") * STD * 255 + MEAN * 255


@pytest.mark.parametrize("shape", SIZES)
def test_deepmind_is_that_of_the_published_code(shape):
    image = noise(*shape)
    prepared = kp.preparation.ImagePreparation(19, 19)(image)
    assert prepared.shape == (19, 19, 3) and prepared.dtype == "float32"
    np.testing.assert_allclose(prepared, deepmind(image, 19), atol=1e-5)


def test_deepmind_does_not_limit_values():
    image = np.kron(np.indices((16, 16)).sum(0) % 2, np.ones((2, 2)))[..., None].repeat(3, -1) * 255
    values = levels(kp.preparation.ImagePreparation(61, 61)(image))
    assert values.min() < -10 and values.max() > 265
    values = levels(kp.preparation.ImagePreparation(61, 61, "huggingface")(image))
    np.testing.assert_allclose(values, values.round(), atol=1e-3)
    assert values.min() > -1e-3 and values.max() < 255.001


@pytest.mark.parametrize("shape", SIZES)
def test_huggingface_is_that_of_pillow(shape):
    pillow = pytest.importorskip("PIL.Image")
    image = noise(*shape, seed=1)
    crop = window(image, lambda rest: rest // 2)
    wanted = np.asarray(pillow.fromarray(crop).resize((19, 19), pillow.Resampling.BICUBIC), "int64")
    values = levels(kp.preparation.ImagePreparation(19, 19, "huggingface")(image))
    differences = np.abs(values.round() - wanted)
    assert differences.max() <= 1 and differences.mean() < 0.01


@pytest.mark.parametrize("convention", ["deepmind", "huggingface"])
def test_pixels_of_any_kind_give_the_same(convention):
    prepare = kp.preparation.ImagePreparation(19, 19, convention)
    image = noise(29, 43)
    wanted = prepare(image)
    for dtype in ("float32", "float64", "int64", "uint16"):
        np.testing.assert_allclose(prepare(image.astype(dtype)), wanted, atol=1e-6)
    np.testing.assert_allclose(prepare(image[None].repeat(3, 0))[1], wanted, atol=1e-6)
    np.testing.assert_allclose(prepare(image.tolist()), wanted, atol=1e-6)
    png = tf.io.encode_png(image)
    np.testing.assert_allclose(prepare(png), wanted, atol=1e-6)
    np.testing.assert_allclose(prepare(png.numpy()), wanted, atol=1e-6)


def test_half_precision_is_for_results_alone():
    image = np.random.default_rng(0).uniform(0, 255, (29, 43, 3)).astype("float32")
    wanted = np.asarray(kp.preparation.ImagePreparation(19, 19)(image))
    half = kp.preparation.ImagePreparation(19, 19, dtype="float16")(image)
    np.testing.assert_array_equal(half, wanted.astype("float16"))


def test_files_of_different_sizes(tmp_path):
    prepare = kp.preparation.ImagePreparation(19, 19)
    images, paths = [noise(29, 43), noise(50, 31)], []
    for i, image in enumerate(images):
        paths.append(tmp_path / f"{i}.png")
        paths[-1].write_bytes(tf.io.encode_png(image).numpy())
    prepared = prepare.from_file(paths)
    assert prepared.shape == (2, 19, 19, 3)
    for one, image in zip(prepared, images):
        np.testing.assert_allclose(one, prepare(image), atol=1e-6)
    np.testing.assert_array_equal(prepare.from_file(str(paths[1])), prepared[1:])
    with pytest.raises(FileNotFoundError):
        prepare.from_file("missing.png")


def test_a_grey_picture_and_one_with_alpha_become_red_green_and_blue():
    prepare = kp.preparation.ImagePreparation(19, 19)
    grey = noise(29, 43)[..., :1]
    wanted = prepare(grey.repeat(3, -1))
    np.testing.assert_allclose(prepare(tf.io.encode_png(grey)), wanted, atol=1e-6)
    alpha = np.concatenate([grey.repeat(3, -1), noise(29, 43)[..., :1]], axis=-1)
    np.testing.assert_allclose(prepare(tf.io.encode_png(alpha)), wanted, atol=1e-6)


def test_a_white_image_and_other_statistics():
    white = np.full((5, 9, 3), 255, "uint8")
    prepared = kp.preparation.ImagePreparation(7, 7)(white)
    np.testing.assert_allclose(prepared, np.broadcast_to((1 - MEAN) / STD, (7, 7, 3)), atol=1e-5)
    prepare = kp.preparation.ImagePreparation(7, 7, mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    np.testing.assert_allclose(prepare(white)[3, 3], [1, 1, 0], atol=1e-5)


@pytest.mark.parametrize(
    "shape, size, fraction, first",
    [
        ((40, 90), (36, 54), 0.9, (2, 18)),
        ((90, 40), (24, 36), 0.9, (33, 2)),
        ((100, 100), (57, 57), 0.57, (22, 22)),
    ],
)
def test_a_window_of_another_shape(shape, size, fraction, first):
    """Where it is as large as the result, pixels are those of the window, from `first` on."""
    prepare = kp.preparation.ImagePreparation(*size, crop_fraction=fraction)
    for axis, places in enumerate(np.indices(shape)):
        found = levels(prepare(places[..., None].repeat(3, -1)))[..., 0]
        wanted = np.indices(size)[axis] + first[axis]
        np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_in_pipelines_and_in_functions_of_open_sizes():
    prepare = kp.preparation.ImagePreparation(19, 19)
    images = [noise(29, 43), noise(50, 31), noise(3, 5)]
    spec = tf.TensorSpec((None, None, 3), "uint8")
    pipeline = tf.data.Dataset.from_generator(lambda: iter(images), output_signature=spec)
    pipeline = pipeline.map(prepare)
    assert pipeline.element_spec == tf.TensorSpec((19, 19, 3), "float32")
    for prepared, image in zip(pipeline, images):
        np.testing.assert_allclose(prepared, prepare(image), atol=1e-6)
    batch = tf.function(prepare, input_signature=[tf.TensorSpec((None, None, None, None), "uint8")])
    for image in images[:2]:
        np.testing.assert_allclose(batch(image[None])[0], prepare(image), atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one pixel and 3 colours"):
        batch(images[0][None, :, :, :2])
    served = tf.function(prepare, input_signature=[tf.TensorSpec((None,), "string")])
    encoded = [tf.io.encode_png(image).numpy() for image in images]
    np.testing.assert_allclose(served(encoded)[2], prepare(images[2]), atol=1e-6)
    assert served(np.zeros((0,), object).astype("S")).shape == (0, 19, 19, 3)


@pytest.mark.parametrize(
    "images, message",
    [
        (noise(5, 7)[..., 0], r"`images` must be numbers .* Received: images of shape \(5, 7\)"),
        (noise(5, 7)[..., :2], r"`images` must be .* Received: images of shape \(5, 7, 2\)"),
        (noise(5, 7) > 3, "`images` must be .* Received: images of dtype bool"),
        ("cat.jpg", "`images` must be pixels, .*; `from_file` takes a path. Received: images='cat"),
        ([[b"a"], [b"b"]], r"`images` must be one string .* shape \(2, 1\)"),
        (None, "`images` must be pixels"),
    ],
)
def test_what_is_no_image(images, message):
    with pytest.raises(ValueError, match=message):
        kp.preparation.ImagePreparation(19, 19)(images)


def test_a_tensor_of_unknown_rank():
    prepare = tf.function(kp.preparation.ImagePreparation(19, 19))
    with pytest.raises(ValueError, match="`images` must be .* Received: images of shape <unknown>"):
        prepare.get_concrete_function(tf.TensorSpec(None, "uint8"))


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((0, 7, 3), "uint8"), "`images` must have at least one pixel"),
        (np.full((5, 7, 3), 255.5), "`images` must be pixel values from 0 to 255"),
        (np.full((5, 7, 3), -1), "`images` must be pixel values from 0 to 255"),
        (np.full((5, 7, 3), np.nan), "`images` must be pixel values from 0 to 255"),
        (b"no image", "An image must be the bytes of a PNG or JPEG file"),
        (tf.io.encode_png(noise(5, 8)).numpy(), "1 to 35 pixels. Received: 40"),
    ],
)
def test_what_is_refused_when_it_is_read(images, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        kp.preparation.ImagePreparation(19, 19, max_pixels=35)(images)


def test_classes_are_named_with_their_probabilities():
    logits = np.log([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3]])
    prepare = kp.preparation.ImagePreparation(class_names=["cat", "dog", "crane"])
    first, second = prepare.readable(logits, top=2)
    assert [name for name, _ in first] == ["dog", "crane"]
    np.testing.assert_allclose([p for _, p in first], [0.6, 0.3], atol=1e-6)
    assert second[0][0] == "cat" and isinstance(second[0][1], float)
    assert [name for name, _ in kp.preparation.ImagePreparation().readable(logits)[0]] == [1, 2, 0]


def test_a_model_answers_in_three_lines(tmp_path):
    (tmp_path / "cat.png").write_bytes(tf.io.encode_png(noise(29, 43)).numpy())
    model = kp.build_classifier((8, 8, 3), 3, num_latents=3, latent_dim=8)
    prepare = kp.preparation.ImagePreparation(8, 8, class_names=["cat", "dog", "crane"])
    (answer,) = prepare.readable(model(prepare.from_file(tmp_path / "cat.png")))
    assert {name for name, _ in answer} == {"cat", "dog", "crane"}
    np.testing.assert_allclose(sum(probability for _, probability in answer), 1, atol=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"convention": "torch"}, r"`convention` must be one of \('deepmind', 'huggingface'\)"),
        ({"mean": 0.5}, "`mean` must be three numbers"),
        ({"std": (1, 0, 1)}, r"`std\[1\]` must be a finite number and above 0"),
        ({"crop_fraction": 1.1}, "`crop_fraction` must be a finite number and above 0 and at most"),
        ({"class_names": "cat"}, "`class_names` must be a list of strings"),
        ({"height": None}, "`height` must be a whole number"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kp.preparation.ImagePreparation(**arguments)
