"""Encode once, decode many: in chunks, some queries only, one output at a time."""

import functools
import json

import keras
import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp
from tests.peak_memory import printed_by

SMALL = {"num_latents": 5, "latent_dim": 12, "num_self_attends_per_block": 1, "compile": False}
SMALL["num_self_attention_heads"] = 2


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def audiovisual(**options):
    inputs = {"video": kp.Video(2, 4, 8), "audio": kp.Audio(28, 4), "label": kp.Labels(3)}
    model = kp.build_autoencoder(inputs, decoder_output_dim=11, **SMALL, **options)
    raw = {"video": normal(2, 2, 4, 8, 3), "audio": normal(2, 28, 1), "label": normal(2, 3)}
    return model, raw


@functools.cache
def asked(endpoint=True):
    """A model that no test changes, its inputs, its latents and its answers."""
    model, raw = audiovisual(endpoint=endpoint)
    return model, raw, model.encode(raw), model(raw)


@pytest.mark.parametrize("chunk_size", [1, 7, 64, 1000, None])
@pytest.mark.parametrize("endpoint", [True, False])
def test_chunks_equal_all_at_once(chunk_size, endpoint):
    model, _, latents, whole = asked(endpoint)
    if chunk_size == 1:  # one query at a time is slow: one output will do
        audio = model.decode(latents, output="audio", chunk_size=1)
        np.testing.assert_allclose(audio, ops.convert_to_numpy(whole["audio"]), atol=1e-5)
        return
    parts = model.decode(latents, chunk_size=chunk_size)
    assert sorted(parts) == ["audio", "label", "video"]
    for key, part in parts.items():
        np.testing.assert_allclose(part, ops.convert_to_numpy(whole[key]), atol=1e-5)


def test_the_encoder_runs_once():
    """Decoding needs the latents only: what the encoder has become since does not matter."""
    model, raw = audiovisual()
    latents = model.encode(raw)
    wanted = model.decode(latents, output="video", chunk_size=5)
    for weight in model.encoder.weights:
        weight.assign(np.full(weight.shape, np.nan))
    assert np.isnan(model.encode(raw)).all()
    for chunk_size in (5, 7):
        found = model.decode(latents, output="video", chunk_size=chunk_size)
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_only_one_chunk_of_queries_is_made():
    """The decoder never sees more queries than a chunk holds."""
    model, raw = audiovisual()
    decoder = model.get_layer("decoder").get_layer("output_query_decoder")
    seen = []
    original = decoder.call

    def watched(query, *args, **kwargs):
        seen.append(query.shape[1])
        return original(query, *args, **kwargs)

    latents = model.encode(raw)
    decoder.call = watched
    model.decode(latents, output="video", chunk_size=9)
    assert seen and all(length in (9, None) for length in seen)


PEAK_MEMORY = """
import json
import numpy as np
import keras_perceiver as kp
from tests.peak_memory import peak
model = kp.Perceiver((6, 3), kp.Grid((400, 400), channels=1), num_latents=64, latent_dim=32,
                     num_self_attends_per_block=1)
latents = np.zeros((1, 64, 32), "float32")
model.decode(latents, indices=np.arange(2000))
peaks = [peak() / 2**20]
for chunk_size in (2000, None):
    model.decode(latents, chunk_size=chunk_size)
    peaks.append(peak() / 2**20)
print(json.dumps(peaks))
"""


@pytest.mark.slow
@pytest.mark.tensorflow
def test_memory_is_that_of_one_chunk():
    """In MiB of a process of its own: 160,000 queries in chunks need little, at once a lot."""
    before, in_chunks, at_once = json.loads(printed_by(PEAK_MEMORY))
    assert at_once - before > 200  # the queries alone are 160,000 x 258 numbers, 157 MiB
    assert in_chunks - before < (at_once - before) / 4


def test_some_queries_of_each_example():
    model, _, latents, answers = asked()
    whole = ops.convert_to_numpy(answers["video"]).reshape(2, -1, 3)
    indices = np.array([[3, 61, 0], [5, 5, 17]])
    some = model.decode(latents, output="video", indices=indices)
    np.testing.assert_allclose(some, np.stack([w[i] for w, i in zip(whole, indices)]), atol=1e-5)


def test_the_two_conventions_of_coordinates_differ():
    """Index i of n lies at -1 + 2i/(n-1), or with endpoint=False at -1 + 2i/n."""
    dense = kp.FourierEncoding(3, max_resolution=4)
    sampled = kp.FourierEncoding(3, max_resolution=4, endpoint=False)
    grid = np.zeros((1, 4, 1), "float32")
    positions = ops.convert_to_numpy(dense(grid))[0, :, 0]
    np.testing.assert_allclose(positions, [-1, -1 / 3, 1 / 3, 1], atol=1e-6)
    positions = ops.convert_to_numpy(sampled(grid))[0, :, 0]
    np.testing.assert_allclose(positions, [-1, -0.5, 0, 0.5], atol=1e-6)


@pytest.mark.slow
def test_queries_made_of_inputs_and_of_points():
    model = kp.build_perceiver_io(
        {"pair": kp.FramePair(4, 7), "set": kp.Entities(6, 3), "text": kp.Text(9, dim=8)},
        {
            "flow": kp.PerInput("pair", channels=2),
            "each": kp.PerInput("set", num_classes=3),
            "text": kp.Tokens(tied_to="text"),
            "field": kp.AtPoints(3, channels=1, num_bands=4),
            "mean": kp.Classes(2, head="mean"),
        },
        **SMALL,
    )
    ids = np.array([[7, 8, 9, 10, 0, 0, 0, 0, 0], [9, 9, 9, 9, 9, 9, 9, 9, 9]], "int32")
    raw = {
        "pair": normal(2, 2, 4, 7, 3),
        "set": normal(2, 6, 3),
        "set_mask": np.array([[1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1]], bool),
        "text": ids,
        "field_points": np.tanh(normal(2, 13, 3)),
    }
    whole = model(raw)
    latents = model.encode(raw)
    parts = model.decode(latents, inputs=raw, chunk_size=4)
    for key, part in parts.items():
        np.testing.assert_allclose(part, ops.convert_to_numpy(whole[key]), atol=1e-5, err_msg=key)
    with pytest.raises(ValueError, match=r"without \['field_points'\]"):
        model.decode(latents, output="field")


def test_at_points_equals_grid_at_its_points():
    """The same weights asked at the coordinates of a grid's cells answer alike."""
    options = {"num_bands": 4, "channels": 2}
    grid = kp.Perceiver((6, 3), kp.Grid((5,), max_resolution=(5,), **options), num_latents=3,
                        latent_dim=8, num_self_attends_per_block=1)  # fmt: skip
    points = kp.Perceiver((6, 3), kp.AtPoints(1, max_resolution=(5,), **options), num_latents=3,
                          latent_dim=8, num_self_attends_per_block=1)  # fmt: skip
    points.set_weights(grid.get_weights())
    array = normal(2, 6, 3)
    at = np.broadcast_to(np.linspace(-1, 1, 5, dtype="float32")[:, None], (2, 5, 1))
    ours = points({"array": array, "query_points": at})
    np.testing.assert_allclose(
        ops.convert_to_numpy(ours), ops.convert_to_numpy(grid(array)), atol=1e-5
    )


def test_decoding_after_reloading(tmp_path):
    model, _, latents, _ = asked()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        again.decode(latents, output="audio", chunk_size=3),
        model.decode(latents, output="audio"),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"chunk_size": 0}, "`chunk_size` must be a whole number of at least 1"),
        ({"output": "vidoe"}, "`output` must be one of"),
        ({"output": "video", "indices": [64]}, r"`indices` must lie in \[0, 64\)"),
        ({"output": "video", "indices": [-1]}, r"`indices` must lie in \[0, 64\)"),
        ({"output": "video", "indices": [0.5]}, "`indices` must be whole numbers"),
        ({"output": "video", "indices": []}, "`indices` must be whole numbers"),
        ({"indices": [1]}, "`output` must be given with `indices`"),
    ],
)
def test_bad_arguments(arguments, message):
    model, *_ = asked()
    with pytest.raises(ValueError, match=message):
        model.decode(normal(2, 5, 12), **arguments)


def test_bad_latents_and_points():
    model, *_ = asked()
    with pytest.raises(ValueError, match=r"`latents` must have shape \(batch, 5, 12\)"):
        model.decode(normal(2, 12, 5))
    model = kp.Perceiver((6, 3), kp.AtPoints(1, channels=1), num_latents=3, latent_dim=8)
    points = np.full((2, 4, 1), np.nan, "float32")
    with pytest.raises(ValueError, match="finite"):
        model.decode(normal(2, 3, 8), inputs={"query_points": points})
    with pytest.raises(ValueError, match="finite"):
        model({"array": normal(2, 6, 3), "query_points": points})


def test_arrays_with_nan_are_refused_before_the_first_step():
    model = kp.Perceiver((6, 3), kp.AtPoints(1, channels=1), num_latents=3, latent_dim=8)
    model.compile(optimizer="sgd", loss="mse")
    points = normal(2, 4, 1)
    points[1, 2] = np.nan
    inputs = {"array": normal(2, 6, 3), "query_points": points}
    message = r"`inputs\['query_points'\]` must be finite.*nan at index \(1, 2, 0\)"
    for call in (
        lambda: model.predict(inputs),
        lambda: model.fit(inputs, normal(2, 4, 1)),
        lambda: model.evaluate(inputs, normal(2, 4, 1)),
    ):
        with pytest.raises(ValueError, match=message):
            call()
