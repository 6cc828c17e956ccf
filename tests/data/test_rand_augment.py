"""RandAugment and its operations, against Pillow where that computes the same."""

import importlib
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.data import colour_operations as colours
from keras_perceiver.data import moving_operations as places

module = importlib.import_module("keras_perceiver.data.rand_augment")
Image = pytest.importorskip("PIL.Image")
ImageEnhance = pytest.importorskip("PIL.ImageEnhance")
ImageOps = pytest.importorskip("PIL.ImageOps")

SIZES = [(1, 1), (1, 7), (5, 3), (37, 53)]


def pictures():
    """Noise, noise of few values, one colour, and a gradient with an empty channel."""
    random = np.random.default_rng(4)
    for height, width in SIZES:
        noise = random.integers(0, 256, (height, width, 3), "uint8")
        yield noise
        yield noise // 51 * 30 + 40
        yield np.full_like(noise, 77)
        gradient = np.zeros_like(noise)
        gradient[..., 0], gradient[..., 1] = np.arange(width), np.arange(height)[:, None] * 3
        yield gradient


def enhanced(kind):
    return lambda image, factor: kind(image).enhance(factor)


OPERATIONS = {
    "auto_contrast": (ImageOps.autocontrast, [()]),
    "equalize": (ImageOps.equalize, [()]),
    "invert": (ImageOps.invert, [()]),
    "posterize": (ImageOps.posterize, [(1,), (2,), (4,), (8,)]),
    "solarize": (ImageOps.solarize, [(0,), (1,), (128,), (256,)]),
    "color": (enhanced(ImageEnhance.Color), [(0.1,), (0.64,), (1.0,), (1.9,)]),
    "contrast": (enhanced(ImageEnhance.Contrast), [(0.1,), (0.64,), (1.0,), (1.9,)]),
    "brightness": (enhanced(ImageEnhance.Brightness), [(0.1,), (0.64,), (1.0,), (1.9,)]),
    "sharpness": (enhanced(ImageEnhance.Sharpness), [(0.1,), (0.64,), (1.0,), (1.9,)]),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_colours_are_those_of_pillow(name):
    pillow, cases = OPERATIONS[name]
    for image in pictures():
        for arguments in cases:
            wanted = np.asarray(pillow(Image.fromarray(image), *arguments))
            found = getattr(colours, name)(tf.constant(image), *arguments)
            np.testing.assert_array_equal(found, wanted, f"{image.shape} {arguments}")


def test_colours_are_those_of_keras_where_it_does_the_same():
    for image in pictures():
        for ours, theirs in [
            (colours.invert(image), keras.layers.RandomInvert((1, 1))),
            (colours.auto_contrast(image), keras.layers.AutoContrast(dtype="float64")),
            (colours.posterize(image, 2), keras.layers.RandomPosterization((2, 2))),
        ]:
            wanted = np.asarray(theirs(tf.cast(image, tf.float32))).astype("uint8")
            np.testing.assert_array_equal(ours, wanted)


def test_posterize_to_no_bits_and_solarize_add():
    for image in pictures():
        assert not colours.posterize(tf.constant(image), 0).numpy().any()
        wanted = np.where(image < 128, np.minimum(image.astype(int) + 55, 255), image)
        np.testing.assert_array_equal(colours.solarize_add(tf.constant(image), 55), wanted)
        np.testing.assert_array_equal(
            colours.solarize_add(tf.constant(image), 255), np.where(image < 128, 255, image)
        )


def moved(image, a, b, c, d, e, f):
    """Pixel (x, y) is the nearest to (a x + b y + c, d x + e y + f) of the image, or grey."""
    height, width, _ = image.shape
    x, y = np.arange(width), np.arange(height)[:, None]
    column = np.rint(a * x + b * y + c).astype(int)
    row = np.rint(d * x + e * y + f).astype(int)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    result = image[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.where(inside[..., None], result, 128)


@pytest.mark.parametrize("slope", [0.1537, -0.3011])
def test_shears_and_translations(slope):
    for image in pictures():
        tensor = tf.constant(image)
        for found, matrix in [
            (places.shear_x(tensor, slope), (1, slope, 0, 0, 1, 0)),
            (places.shear_y(tensor, slope), (1, 0, 0, slope, 1, 0)),
            (places.translate_x(tensor, slope * 10), (1, 0, slope * 10, 0, 1, 0)),
            (places.translate_y(tensor, slope * 10), (1, 0, 0, 0, 1, slope * 10)),
            (places.translate_x(tensor, 1e9), (1, 0, 1e9, 0, 1, 0)),
        ]:
            np.testing.assert_array_equal(found, moved(image, *matrix))


@pytest.mark.parametrize("degrees", [0.0, 15.0, -29.7, 90.0])
def test_rotations(degrees):
    for image in pictures():
        found = places.rotate(tf.constant(image), degrees).numpy()
        wanted = np.asarray(Image.fromarray(image).rotate(degrees, fillcolor=(128, 128, 128)))
        assert (found != wanted).any(axis=-1).mean() < 0.005 or min(image.shape[:2]) == 1
        angle = math.radians(degrees)
        cosine, sine = math.cos(angle), math.sin(angle)
        y, x = (np.array(image.shape[:2]) - 1) / 2
        right, down = x - cosine * x + sine * y, y - sine * x - cosine * y
        wanted = moved(image, cosine, -sine, right, sine, cosine, down)
        assert (found != wanted).any(axis=-1).mean() < 0.005  # halves, rounded either way


def test_cutout():
    image = np.full((19, 11, 3), 5, "uint8")
    seeds = tf.random.experimental.stateless_split((1, 2), 400)
    centres = set()
    cut = tf.data.Dataset.from_tensor_slices(seeds).map(lambda s: places.cutout(image, 3, s))
    for result in cut.as_numpy_iterator():
        rows, columns = np.nonzero(result[..., 0] == 128)
        top, left = rows.min(), columns.min()
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert len(rows) == height * width  # a whole box
        assert height == 6 or top == 0 or top + height == 19
        assert width == 6 or left == 0 or left + width == 11
        centres.add((top + 3 if top else height - 3, left + 3 if left else width - 3))
    assert len(centres) > 100 and max(centres)[0] == 18 and min(centres)[0] == 0
    assert {left for _, left in centres} == set(range(11))


def test_each_operation_is_chosen_equally_often(monkeypatch):
    def numbered(image, magnitude, *seeds):
        assert magnitude == 7.0
        return [lambda i=i: tf.fill(tf.shape(image), tf.constant(i, tf.uint8)) for i in range(16)]

    monkeypatch.setattr(module, "_operations", numbered)
    images = tf.data.Dataset.from_tensors(np.zeros((1600, 1, 1, 3), "uint8"))
    (found,) = images.map(lambda batch: kp.data.rand_augment(batch, (3, 5), 3, 7.0))
    counts = np.bincount(found[:, 0, 0, 0].numpy(), minlength=16)
    assert len(counts) == 16 and counts.min() > 60 and counts.max() < 150


@pytest.mark.parametrize("magnitude", [0.0, 3.0, 5.0, 10.0])
def test_operations_and_their_magnitudes(magnitude):
    image = list(pictures())[-4]
    share = magnitude / 10
    factor = 1.8 * share + 0.1
    calls = [
        colours.auto_contrast(image),
        colours.equalize(image),
        colours.invert(image),
        (places.rotate, 30 * share),
        colours.posterize(image, int(4 * share)),
        colours.solarize(image, int(256 * share)),
        colours.color(image, factor),
        colours.contrast(image, factor),
        colours.brightness(image, factor),
        colours.sharpness(image, factor),
        (places.shear_x, 0.3 * share),
        (places.shear_y, 0.3 * share),
        (places.translate_x, 100 * share),
        (places.translate_y, 100 * share),
        places.cutout(image, int(40 * share), (3, 4)),
        colours.solarize_add(image, int(110 * share)),
    ]
    ways = set()
    for sign_seed in range(6):
        operations = module._operations(tf.constant(image), magnitude, (sign_seed, 2), (3, 4))
        for operation, wanted in zip(operations, calls, strict=True):
            found = operation().numpy()
            if isinstance(wanted, tuple):
                move, value = wanted
                either = [move(tf.constant(image), sign * value) for sign in (-1, 1)]
                way = [i for i in (0, 1) if np.array_equal(found, either[i])]
                assert way
                ways.add((move.__name__, *way))
            else:
                np.testing.assert_array_equal(found, wanted)
    if magnitude == 3:
        assert {(name, way) for name, way in ways} == {
            (f.__name__, way)
            for f, _ in filter(lambda c: isinstance(c, tuple), calls)
            for way in (0, 1)
        }
    if magnitude == 5:
        for unchanged in calls[6:10]:
            np.testing.assert_array_equal(unchanged, image)


@pytest.mark.parametrize("size", [(1, 7), (37, 53)])
def test_eager_pipeline_and_unknown_shapes_agree(size):
    images = np.random.default_rng(1).integers(0, 256, (5, *size, 3), "uint8")
    wanted = kp.data.rand_augment(images, (3, 5))
    assert wanted.dtype == tf.uint8 and wanted.shape == images.shape
    spec = tf.TensorSpec((None, None, None, None), tf.uint8)
    dataset = tf.data.Dataset.from_generator(lambda: iter([images]), output_signature=spec)
    (found,) = dataset.map(lambda batch: kp.data.rand_augment(batch, (3, 5)))
    np.testing.assert_array_equal(found, wanted)
    one = kp.data.rand_augment(images[2], (3, 5))
    assert one.shape == images[2].shape


def test_the_seed_decides_and_examples_differ():
    images = np.repeat(next(p for p in pictures() if p.size > 999)[None], 8, axis=0)
    first, again, other = (kp.data.rand_augment(images, (3, s)).numpy() for s in (5, 5, 7))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() and len({image.tobytes() for image in first}) > 4
    np.testing.assert_array_equal(kp.data.rand_augment(images, (3, 5), 0), images)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_other_dtypes_are_rounded(dtype):
    images = np.random.default_rng(1).integers(0, 256, (2, 5, 7, 3), "uint8")
    shift = np.random.default_rng(2).uniform(-0.49, 0.49, images.shape)
    shifted = images if dtype == "int64" else np.clip(images + shift, 0, 255)
    found = kp.data.rand_augment(shifted.astype(dtype), (3, 5))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, kp.data.rand_augment(images, (3, 5)).numpy())


@pytest.mark.parametrize("value", [-1.0, 255.5, np.nan, np.inf, 1e30])
def test_values_that_are_not_pixels(value):
    images = np.zeros((2, 3, 4, 3), "float32")
    images[1, 2, 3, 0] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be pixel values from 0 to 255"):
        kp.data.rand_augment(images, (3, 5))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"images": np.zeros((4, 5, 1), "uint8")}, r"`images` must be.*\(4, 5, 1\)"),
        ({"images": np.zeros((4, 3), "uint8")}, r"`images` must be.*\(4, 3\)"),
        ({"images": np.zeros((4, 5, 3), bool)}, "`images` must be.*bool"),
        ({"seed": 1}, "`seed`"),
        ({"num_layers": -1}, "`num_layers`"),
        ({"magnitude": 10.5}, "`magnitude` must be .*at most 10"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {"images": np.zeros((4, 5, 3), "uint8"), "seed": (3, 5), **change}
    with pytest.raises(ValueError, match=message):
        kp.data.rand_augment(**arguments)
