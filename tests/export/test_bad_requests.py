"""A thousand random bad requests: each gets an error, and good ones in between stay the same.

The SavedModel is asked in a session without the checks that Python adds, as a server asks it.
"""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.export.small import Session, ask, many_things_request, png, wav

pytestmark = pytest.mark.slow

DTYPES = ["float32", "float64", "float16", "int32", "int64", "uint8", "bool", "object"]
ERRORS = (tf.errors.OpError, ValueError, TypeError)


@pytest.fixture(scope="module")
def sessions(digits, many_things):
    return {"digits": Session(digits[1]), "many": Session(many_things[1])}


# Bad requests: (model, signature, request, whether it may have an answer after all).


def bytes_array(*values):
    return np.array(values, dtype=object)


@st.composite
def arrays(draw, sizes, max_rank):
    """Arrays of any shape and dtype."""
    shape = draw(st.lists(st.sampled_from(sizes), max_size=max_rank))
    dtype = draw(st.sampled_from(DTYPES))
    return np.full(shape, b"x", object) if dtype == "object" else np.zeros(shape, dtype)


def fits(array, dtype, sizes):
    """Whether an array has one of the allowed sizes, (lowest, highest), along each axis."""
    return (
        array.dtype == dtype
        and array.ndim == len(sizes)
        and all(low <= have <= high for have, (low, high) in zip(array.shape, sizes))
        and (dtype != "float32" or np.isfinite(array).all())
    )


SIZES = [0, 1, 2, 3, 8, 9, 32, 33]
not_finite = st.builds(
    lambda value, place: np.where(np.arange(64) == place, np.float32(value), 0).reshape(1, 8, 8, 1),
    st.sampled_from([np.nan, np.inf, -np.inf]),
    st.integers(0, 63),
)
nearly_good = st.builds(
    np.zeros,
    st.tuples(*[st.sampled_from(SIZES)] * 3, st.sampled_from([0, 1, 2, 3])),
    st.sampled_from(["float32", "float32", "int32", "float64"]),
)
too_many = st.builds(lambda n: np.zeros((n, 1, 1, 1), "float32"), st.integers(1025, 1200))
bad_images = (
    st.one_of(arrays(SIZES, 5), nearly_good, not_finite, too_many)
    .filter(lambda array: not fits(array, "float32", [(1, 1024), (1, 32), (1, 32), (1, 1)]))
    .map(lambda array: ("digits", "serving_default", {"array": array}, False))
)

PNG = png(np.arange(64, dtype="uint8").reshape(8, 8, 1))
JPEG = tf.io.encode_jpeg(np.arange(192, dtype="uint8").reshape(8, 8, 3)).numpy()
SOUND = wav(np.zeros((28, 1), "float32"))


def claims(height, width):
    """A PNG whose header claims another size."""
    return PNG[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + PNG[24:]


corrupt_pictures = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda tail: PNG[:8] + tail, st.binary(max_size=100)),
    st.builds(lambda tail: JPEG[:3] + tail, st.binary(max_size=100)),
    st.builds(lambda n: PNG[:n], st.integers(0, len(PNG) // 2)),
    st.builds(lambda n: JPEG[:n], st.integers(0, len(JPEG) // 2)),
    st.builds(claims, st.integers(9, 2**32 - 1), st.integers(9, 2**32 - 1)),
    st.sampled_from([SOUND, b"", b"GIF89a" + bytes(30), b"BM" + PNG]),
)
bad_pictures = st.builds(
    lambda bad, good: ("digits", "serve_bytes", {"array": bytes_array(*good, bad)}, False),
    corrupt_pictures,
    st.sampled_from([(), (PNG,), (JPEG, PNG)]),
)


@st.composite
def slightly_wrong_pictures(draw):
    """A wrong byte can leave a picture that can be read: then it has an answer."""
    broken = bytearray(draw(st.sampled_from([PNG, JPEG])))
    for _ in range(draw(st.integers(1, 8))):
        broken[draw(st.integers(0, len(broken) - 1))] ^= draw(st.integers(1, 255))
    return "digits", "serve_bytes", {"array": bytes_array(bytes(broken))}, True


# The smallest and largest size of each axis.
ALLOWED = {
    "image": ("float32", [(2, 2), (6, 6), (4, 4), (3, 3)]),
    "sound": ("float32", [(2, 2), (28, 28), (1, 1)]),
    "text": ("int32", [(2, 2), (1, 9)]),
    "set": ("float32", [(2, 2), (5, 5), (3, 3)]),
    "set_mask": ("bool", [(2, 2), (5, 5)]),
    "field_points": ("float32", [(2, 2), (1, 2**20), (2, 2)]),
    "latents": ("float32", [(2, 2), (5, 5), (12, 12)]),
}


@st.composite
def one_wrong_tensor(draw):
    name = draw(st.sampled_from(sorted(ALLOWED)))
    array = draw(
        arrays([0, 1, 2, 3, 4, 5, 9, 10, 12, 28], 4).filter(lambda a: not fits(a, *ALLOWED[name]))
    )
    latents = {"latents": np.zeros((2, 5, 12), "float32")}
    signature = "decode" if name == "latents" else "serving_default"
    return "many", signature, {**many_things_request(), **latents, name: array}, False


def by_bytes(**changed):
    request = many_things_request(batch=1)
    good = {"image": png(np.zeros((6, 4, 3), "uint8")), "sound": SOUND, "text": b"ok", **changed}
    return {**request, **{name: bytes_array(value) for name, value in good.items()}}


def is_text(value):
    try:
        return value.decode("utf-8") is not None
    except UnicodeDecodeError:
        return False


no_text = st.binary(min_size=1, max_size=30).filter(lambda value: not is_text(value))
no_sound = st.one_of(
    st.binary(max_size=100),
    st.builds(lambda n: SOUND[:n], st.integers(0, 40)),
    st.builds(lambda at, tail: SOUND[:at] + tail, st.integers(4, 30), st.binary(max_size=9)),
)
bad_texts = no_text.map(lambda value: ("many", "serve_bytes", by_bytes(text=value), False))
bad_sounds = no_sound.map(lambda value: ("many", "serve_bytes", by_bytes(sound=value), False))
bad_requests = st.one_of(
    bad_images,
    bad_pictures,
    slightly_wrong_pictures(),
    one_wrong_tensor(),
    bad_texts,
    bad_sounds,
)


def test_a_thousand_bad_requests_between_good_ones(sessions):
    images = np.random.default_rng(5).random((2, 8, 8, 1)).astype("float32")
    good = {
        "digits": ("serving_default", {"array": images}, "classes"),
        "many": ("serve_bytes", by_bytes(), "label"),
    }

    def answer(model):
        signature, request, output = good[model]
        return sessions[model].ask(signature, request)[output]

    first = {model: answer(model) for model in sessions}
    refused = []

    @settings(
        max_examples=1200,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(bad_requests)
    def try_one(case):
        model, signature, request, may_be_answered = case
        try:
            sessions[model].ask(signature, request)
        except ERRORS:
            refused.append(signature)
        else:
            assert may_be_answered, "a bad request was answered"
        np.testing.assert_array_equal(answer(model), first[model])

    try_one()
    assert len(refused) >= 1000


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"image": np.zeros((2, 6, 5, 3), "float32")},
            r"`image` must have shape \(batch: 1 to 1024",
        ),
        ({"text": np.zeros((2, 10), "int32")}, r"`text` must have shape \(.*1 to 9\)"),
        ({"text": np.full((2, 9), 262, "int32")}, "`text` must be whole numbers from 0 to 261"),
        ({"text": np.full((2, 9), -1, "int32")}, "`text` must be whole numbers from 0 to 261"),
        ({"field_points": np.full((2, 3, 2), np.nan, "float32")}, "`field_points` must be finite"),
        (
            {"sound": np.zeros((3, 28, 1), "float32")},
            r"same number of examples. Received: \[2 2 2 2 3 2\]",
        ),
        ({"set_mask": np.ones((2, 4), bool)}, "."),
    ],
)
def test_the_error_says_what_is_wrong(sessions, change, message):
    request = {**many_things_request(), **change}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        sessions["many"].ask("serving_default", request)


def test_bad_requests_from_python(digits):
    loaded = tf.saved_model.load(digits[1])
    for bad in (np.zeros((0, 8, 8, 1), "float32"), np.zeros((2, 8, 8), "float32"), np.zeros(3)):
        with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError)):
            ask(loaded, "serving_default", {"array": bad})
    with pytest.raises(TypeError):
        ask(loaded, "serving_default", {"image": np.zeros((2, 8, 8, 1), "float32")})


@pytest.mark.parametrize("text", ["", "\ufeffx", "\x00", "\ufffd", "\U0001f600" * 9, "é"])
def test_texts_that_are_right_are_read(sessions, text):
    answer = sessions["many"].ask("serve_bytes", by_bytes(text=text.encode()))
    assert np.isfinite(answer["label"]).all()
