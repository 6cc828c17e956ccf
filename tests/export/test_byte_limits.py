"""Limits of `serve_bytes` hold for a whole request, before anything is decoded."""

import resource
import struct
import time
import zlib

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.export.small import SIZES, ask, png, wav

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    inputs = {"image": kp.Image(8, 8), "sound": kp.Audio(12, 4, may_be_missing=True)}
    model = kp.build_classifier(inputs, num_classes=3, **SIZES)
    path = kp.export.saved_model(
        model, tmp_path_factory.mktemp("limits") / "m", max_bytes=2**20, max_pixels=2**16
    )
    loaded = tf.saved_model.load(path)
    yield loaded
    # After all that was refused, a good request is answered.
    assert ask(loaded, "serve_bytes", request())["classes"].shape == (2, 3)


PICTURE = png(np.zeros((4, 6, 3), "uint8"))
SOUND = wav(np.zeros((12, 1), "float32"))


def request(images=(PICTURE, PICTURE), sounds=(SOUND, SOUND)):
    return {
        "image": np.array(images, object),
        "sound": np.array(sounds, object),
        "sound_present": np.ones((len(images), 1), bool),
    }


def bomb(side):
    """A small PNG file that unfolds to side x side pixels."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + crc

    header = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    rows = zlib.compress(b"\x00" * (side * (3 * side + 1)), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def refused(loaded, sent, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ask(loaded, "serve_bytes", sent)


def test_pixels_of_the_whole_request(loaded):
    """Each of these alone is within the limit."""
    large = bomb(200)
    assert ask(loaded, "serve_bytes", request([large, PICTURE]))["classes"].shape == (2, 3)
    refused(
        loaded, request([large, large]), "`image` must have at most 65536 pixels in one request"
    )


def test_a_picture_that_would_fill_the_memory(loaded):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(loaded, request([bomb(4096), PICTURE]), "`image` must have at most 65536 pixels")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_bytes_of_the_whole_request(loaded):
    long = SOUND + bytes(600_000)
    refused(loaded, request(sounds=[long, long]), "`sound` must have at most 1048576 bytes")


def test_a_jpeg_of_many_scans(loaded):
    assert ask(loaded, "serve_bytes", request([JPEG, PICTURE]))["classes"].shape == (2, 3)
    start = JPEG.index(b"\xff\xda")
    end = JPEG.index(b"\xff", start + 2)
    many = JPEG[:end] + JPEG[start:end] * 20_000 + JPEG[end:]
    began = time.monotonic()
    refused(loaded, request([many[:900_000], PICTURE]), "`image` must be a JPEG file of at most 64")
    assert time.monotonic() - began < 60  # decoding them takes minutes


JPEG = tf.io.encode_jpeg(np.zeros((8, 8, 3), "uint8"), progressive=True).numpy()


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def exif(thumbnail):
    """The segment in which cameras put a small picture of the same."""
    tags = [(0x112, 3, 1, 1)], [(0x201, 4, 1, 56), (0x202, 4, 1, len(thumbnail))]
    tiff = b"II*\0" + struct.pack("<I", 8)
    for directory, following in zip(tags, (26, 0)):
        entries = b"".join(struct.pack("<HHII", *tag) for tag in directory)
        tiff += struct.pack("<H", len(directory)) + entries + struct.pack("<I", following)
    return segment(0xE1, b"Exif\0\0" + tiff + thumbnail)


@pytest.mark.parametrize(
    "picture",
    [
        JPEG[:2] + exif(tf.io.encode_jpeg(np.ones((8, 8, 3), "uint8")).numpy()) + JPEG[2:],
        JPEG[:2] + exif(JPEG) * 9 + JPEG[2:],
        JPEG[:2] + segment(0xFE, b"\xff\xda" * 99) + JPEG[2:],
        JPEG + b"\xff\xda" * 99,
    ],
    ids=["thumbnail", "nine thumbnails", "comment", "film after the end"],
)
def test_only_scans_of_the_image_count(loaded, picture):
    """As from a camera: what is embedded, or follows the image, is no scan of it."""
    assert ask(loaded, "serve_bytes", request([picture, PICTURE]))["classes"].shape == (2, 3)


@pytest.mark.parametrize(
    "between",
    [
        segment(0xFE, b"\xff\xd9"),
        segment(0xFE, b"\xff\xfe\xff\xff"),
        b"\xff\xff\xff\xd0\xff\x00no marker",
        b"\xff\xfe\x00\x01",
    ],
    ids=["an end in a comment", "a comment in a comment", "fill, restart", "a length of 1"],
)
def test_scans_cannot_hide(loaded, between):
    start = JPEG.index(b"\xff\xda")
    end = JPEG.index(b"\xff", start + 2)
    many = JPEG[:end] + (between + JPEG[start:end]) * 99 + JPEG[end:]
    refused(loaded, request([many, PICTURE]), "`image` must be a JPEG file of at most 64 scans")


def test_a_jpeg_of_many_segments(loaded):
    """Each takes a step of the count."""
    few, many = (JPEG[:2] + segment(0xFE, b"") * n + JPEG[2:] for n in (900, 99_000))
    assert ask(loaded, "serve_bytes", request([few, PICTURE]))["classes"].shape == (2, 3)
    began = time.monotonic()
    refused(loaded, request([many, PICTURE]), "64 scans and 1024 other segments")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("broken", [PICTURE[:23], PICTURE[:9], b"", b"GIF89a", PICTURE[:8]])
def test_broken_pictures_name_the_tensor(loaded, broken):
    refused(loaded, request([broken, PICTURE]), "`image` must be the bytes of a PNG or JPEG")


@pytest.mark.parametrize(
    "broken", [SOUND[:30], b"", b"RIFF", SOUND[:20] + b"\x07" + SOUND[21:], b"x" * 99]
)
def test_broken_sounds_name_the_tensor(loaded, broken):
    refused(loaded, request(sounds=[broken, SOUND]), "`sound` must be the bytes of WAV files")


def test_an_answer_that_overflows_is_an_error(tmp_path):
    model = kp.build_perceiver_io(kp.Array((5, 2), positions="none"), kp.Values(1), **SIZES)
    for weight in model.weights:
        if weight.path.endswith("head/output/kernel"):
            weight.assign(np.full(weight.shape, 1e38, "float32"))
        if weight.path.endswith("feed_forward/output/bias"):
            weight.assign(np.full(weight.shape, 1e3, "float32"))
    loaded = tf.saved_model.load(_exported(model, tmp_path))
    with pytest.raises(tf.errors.InvalidArgumentError, match="`values` is not finite"):
        ask(loaded, "serving_default", {"array": np.ones((1, 5, 2), "float32")})


def _exported(model, folder):
    """Written with good weights, which exporting tries, and served with these."""
    from keras_perceiver.export.served_functions import ServedFunctions

    served = ServedFunctions(model, model, {}, 8, 1, 2**20, 2**20)
    path = str(folder / "served")
    tf.saved_model.save(served.module, path, signatures=served.signatures)
    return path
