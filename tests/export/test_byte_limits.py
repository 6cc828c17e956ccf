"""Limits of `serve_bytes` hold for a whole request, before anything is decoded."""

import resource
import time
import zlib

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.export.small import SIZES, ask, png, wav


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    inputs = {"image": kp.Image(8, 8), "sound": kp.Audio(12, 4, may_be_missing=True)}
    model = kp.build_classifier(inputs, num_classes=3, **SIZES)
    path = kp.export.saved_model(
        model, tmp_path_factory.mktemp("limits") / "m", max_bytes=2**20, max_pixels=2**16
    )
    return tf.saved_model.load(path)


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
    assert ask(loaded, "serve_bytes", request())["classes"].shape == (2, 3)


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
    jpeg = tf.io.encode_jpeg(np.zeros((8, 8, 3), "uint8"), progressive=True).numpy()
    assert ask(loaded, "serve_bytes", request([jpeg, PICTURE]))["classes"].shape == (2, 3)
    start = jpeg.index(b"\xff\xda")
    end = jpeg.index(b"\xff", start + 2)
    many = jpeg[:end] + jpeg[start:end] * 20_000 + jpeg[end:]
    began = time.monotonic()
    refused(loaded, request([many[:900_000], PICTURE]), "`image` must be a JPEG file of at most 64")
    assert time.monotonic() - began < 60  # decoding them takes minutes


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
