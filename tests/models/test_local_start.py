"""Attention that starts local: which places latents and queries attend to before any training."""

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.layers import CrossAttention
from keras_perceiver.visualization import attention_maps

SIZES = {"num_latents": 24, "latent_dim": 64, "num_self_attends_per_block": 1}
HEADS = {"num_cross_attention_heads": 4, "qk_channels": 64}


def scores(model, inputs):
    """Attention weights of latents to inputs, and of queries to latents: `(batch, heads, ...)`."""
    read = attention_maps(model, inputs, "encoder", heads="all")
    read = [one[:, 0].reshape(*one.shape[:1], *one.shape[2:4], -1) for one in read.values()]
    (asked,) = attention_maps(model, inputs, "decoder", heads="all").values()
    return np.concatenate(read, axis=-1), asked


def cells(*grid):
    """Coordinates of the cells of a grid in [0, 1], `(cells, axes)`."""
    axes = [(np.arange(size) + 0.5) / size for size in grid]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(grid))


def normal(*shape, mean=0.0, std=1.0):
    return np.random.default_rng(3).normal(mean, std, (2, *shape)).astype("float32")


def whole(below, *shape):
    return np.random.default_rng(3).integers(0, below, (2, *shape)).astype("int32")


# An input, raw values of it, the coordinates of its inputs.
INPUTS = {
    "text": (lambda: kp.Text(101, 50, 32), whole(50, 101), cells(101)),
    "series": (lambda: kp.Array((97, 3)), normal(97, 3), cells(97)),
    "series with an offset": (
        lambda: kp.Array((97, 3)),
        normal(97, 3, mean=1.0, std=0.3),
        cells(97),
    ),
    "series, learned positions": (
        lambda: kp.Array((97, 16), positions="learned"),
        normal(97, 16),
        cells(97),
    ),
    "image": (lambda: kp.Image(16, 11, 3), normal(16, 11, 3), cells(16, 11)),
    "image, learned positions": (
        lambda: kp.Image(16, 11, 3, positions="learned", position_dim=32),
        normal(16, 11, 3),
        cells(16, 11),
    ),
    "image, projected positions": (
        lambda: kp.Image(16, 11, 3, project_positions=48),
        normal(16, 11, 3),
        cells(16, 11),
    ),
    "patches": (
        lambda: kp.Image(24, 20, 1, stem="patches", patch_size=2),
        normal(24, 20, 1),
        cells(12, 10),
    ),
    "convolution": (
        lambda: kp.Image(45, 38, 1, stem="conv", stem_norm="group"),
        normal(45, 38, 1),
        cells(12, 10),
    ),
    "video": (
        lambda: kp.Video(5, 12, 8, 1, stem="pixels"),
        normal(5, 12, 8, 1),
        cells(5, 12, 8),
    ),
    "audio": (lambda: kp.Audio(202, samples_per_patch=2), normal(202, 1), cells(101)),
    "points": (
        lambda: kp.Points(67, 2, num_bands=8, max_resolution=16),
        np.random.default_rng(5).uniform(-1, 1, (2, 67, 2)).astype("float32"),
        None,
    ),
}


def centres(weights, coordinates):
    """Means and standard deviations of the places that rows of weights attend to."""
    mean = weights @ coordinates
    return mean, np.sqrt(np.maximum(weights @ coordinates**2 - mean**2, 0))


def with_heads(names, one_head, later):
    """Each name with four heads, and some with one; what is not tested before each commit is slow.

    Args:
        names: Of inputs or outputs.
        one_head: Names that are tested with one head too.
        later: Names that differ little from others.
    """

    def is_slow(heads, name):
        return name in later or (heads == 1 and name not in one_head)

    return pytest.mark.parametrize(
        "heads, name",
        [
            pytest.param(heads, name, marks=[pytest.mark.slow] * is_slow(heads, name))
            for heads in (1, 4)
            for name in names
        ],
    )


SIMILAR = ("series with an offset", "image, projected positions", "audio")


@with_heads(INPUTS, one_head=("series", "image"), later=SIMILAR)
def test_each_latent_reads_around_a_place_of_its_own(name, heads):
    describe, x, coordinates = INPUTS[name]
    options = HEADS if heads == 4 else {"num_cross_attention_heads": 1}
    if name == "points":
        coordinates = (x[0] + 1) / 2
    found = {}
    for initialization in ("local", "papers"):
        model = kp.build_classifier(
            describe(), 3, attention="plain", initialization=initialization, **SIZES, **options
        )
        read = scores(model, x)[0][0]
        mean, std = centres(read, coordinates)
        found[initialization] = (std.mean(), mean.std(axis=1).mean())
    uniform = coordinates.std(axis=0).mean()
    assert found["papers"][0] > 0.8 * uniform and found["papers"][1] < 0.3 * uniform
    assert found["local"][0] < 0.7 * uniform, "latents attend to more than a neighbourhood"
    assert found["local"][1] > 0.6 * uniform, "latents do not attend to different places"


def test_heads_look_at_places_beside_each_other():
    model = kp.build_classifier(kp.Image(16, 11, 3), 3, attention="plain", **SIZES, **HEADS)
    mean, std = centres(scores(model, normal(16, 11, 3))[0][0], cells(16, 11))
    apart = mean.std(axis=0).mean(axis=0)  # over heads, for each latent
    assert (apart * (16, 11) > 0.5).all()  # cells
    assert (apart < 0.15).all()


OUTPUTS = {
    "tokens": ("text", lambda: kp.Tokens(tied_to="text"), cells(101)),
    "tokens of their own": ("text", lambda: kp.Tokens(length=67, vocab_size=50), cells(67)),
    "per text": ("text", lambda: kp.PerInput(num_classes=5), cells(101)),
    "grid": ("image", lambda: kp.Grid((7, 9), channels=2), cells(7, 9)),
    "per pixel": ("image", lambda: kp.PerInput(channels=2), cells(16, 11)),
    "forecast": ("series", lambda: kp.Grid((31,), channels=1), cells(31)),
    "reconstruction": ("video", lambda: kp.Reconstruction("video"), cells(5, 12, 8)),
    "per patch of sound": ("audio", lambda: kp.PerInput(channels=2), cells(101)),
}


@with_heads(OUTPUTS, one_head=("tokens", "grid"), later=("per text", "per patch of sound"))
def test_each_query_finds_the_latents_around_its_place(name, heads):
    of, output, places = OUTPUTS[name]
    describe, x, coordinates = INPUTS[of]
    options = {"attention": "plain", "num_decoder_heads": heads, **SIZES, **HEADS}
    model = kp.build_perceiver_io(describe(), output(), **options)
    read, asked = scores(model, x)
    attended = asked[0].mean(axis=0) @ read[0].mean(axis=0) @ coordinates
    for axis in range(places.shape[1]):
        correlation = np.corrcoef(attended[:, axis], places[:, axis])[0, 1]
        assert correlation > 0.7, f"axis {axis}"
    even = kp.build_perceiver_io(describe(), output(), initialization="papers", **options)
    read, asked = scores(even, x)
    attended = asked[0].mean(axis=0) @ read[0].mean(axis=0) @ coordinates
    assert (attended.std(axis=0) < 0.3 * places.std(axis=0)).all()


def test_queries_at_points():
    model = kp.build_perceiver_io(
        kp.Points(67, 2, num_bands=8, max_resolution=16),
        kp.AtPoints(2, channels=1, num_bands=8, max_resolution=16),
        attention="plain",
        num_decoder_heads=4,
        **SIZES,
        **HEADS,
    )
    random = np.random.default_rng(7)
    points, asked_at = random.uniform(-1, 1, (1, 67, 2)), random.uniform(-1, 1, (1, 41, 2))
    read, asked = scores(model, {"points": points, "query_points": asked_at})
    attended = asked[0].mean(axis=0) @ read[0].mean(axis=0) @ points[0]
    for axis in (0, 1):
        assert np.corrcoef(attended[:, axis], asked_at[0, :, axis])[0, 1] > 0.8


def test_several_inputs_have_latents_of_their_own():
    inputs = {"image": kp.Image(8, 8, 1), "sound": kp.Array((50, 2)), "text": kp.Text(40, 20, 16)}
    x = {"image": normal(8, 8, 1), "sound": normal(50, 2), "text": whole(20, 40)}
    model = kp.build_perceiver_io(inputs, kp.Classes(3), **{**SIZES, "num_latents": 33})
    read = scores(model, x)[0][0, 0]
    lengths = [64, 50, 40]
    ends = np.cumsum(lengths)
    shares = np.stack([part.sum(axis=1) for part in np.split(read, ends[:-1], axis=1)], axis=1)
    ends = np.cumsum(np.sqrt(lengths)) / np.sum(np.sqrt(lengths)) * 33
    groups = np.split(shares, np.round(ends).astype(int)[:-1])
    own = [group[:, i].mean() for i, group in enumerate(groups)]
    assert np.mean(own) > 0.6  # a third each at the papers' start


@pytest.mark.parametrize("num_latents", [3, 4, 12, 24])
def test_an_input_of_one_vector_has_a_latent_too(num_latents):
    model = kp.build_perceiver_io(
        {"sound": kp.Audio(256, 16), "label": kp.Labels(10), "clip": kp.Video(8, 20, 20, 1)},
        {"classes": kp.Classes(3)},
        **{**SIZES, "num_latents": num_latents},
    )
    label = np.eye(10, dtype="float32")[[1, 7]]
    inputs = {"sound": normal(256, 1), "label": label, "clip": normal(8, 20, 20, 1)}
    read = attention_maps(model, inputs, "encoder")["label"]
    assert read.reshape(2, num_latents, -1).sum(axis=-1).max(axis=1).min() > 0.3


def test_fewer_latents_than_inputs_start_as_the_papers():
    inputs = {"one": kp.Array((5, 3), positions="learned"), "two": kp.Text(11, 7, 32)}
    found = []
    for how in ("local", "papers"):
        keras.utils.set_random_seed(0)
        sizes = {**SIZES, "num_latents": 1, "initialization": how}
        outputs = {"classes": kp.Classes(3), "grid": kp.Grid((9,), channels=1)}
        found.append(kp.build_perceiver_io(inputs, outputs, **sizes).get_weights())
    for local, papers in zip(*found, strict=True):
        np.testing.assert_array_equal(local, papers)


ODD = [
    (kp.Array, ((1, 1),)),
    (kp.Array, ((7, 1, 2),)),
    (kp.Image, (1, 13, 1)),
    (kp.Text, (1, 5, 7)),
    (kp.Points, (1, 3)),
]


@pytest.mark.slow
@pytest.mark.parametrize("kind, arguments", ODD)
@pytest.mark.parametrize("num_latents, latent_dim", [(1, 4), (5, 8), (13, 20)])
def test_odd_sizes_start_finite_and_train(kind, arguments, num_latents, latent_dim):
    model = kp.build_classifier(kind(*arguments), 3, num_latents=num_latents, latent_dim=latent_dim)
    (spec,) = model.inputs
    x = np.zeros((3, *spec.shape[1:]), spec.dtype)
    model.fit(x, np.arange(3), epochs=2, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_a_grid_of_open_size():
    series = kp.Array((None, 2), max_resolution=50, num_bands=12)
    model = kp.build_classifier(series, 3, **{**SIZES, **HEADS})
    mean, std = centres(scores(model, normal(50, 2))[0][0], cells(50))
    assert std.mean() < 0.18 and mean.std(axis=1).mean() > 0.2


@pytest.mark.parametrize("name", ["text", "image", "series, learned positions", "convolution"])
def test_same_layers_weights_and_counts(name):
    describe = INPUTS[name][0]
    local = kp.build_classifier(describe(), 3, **SIZES, **HEADS)
    papers = kp.build_classifier(
        describe(), 3, initialization="papers", num_decoder_heads=1, **SIZES, **HEADS
    )
    assert [(v.path, v.shape) for v in local.weights] == [(v.path, v.shape) for v in papers.weights]


def test_without_positions_it_starts_as_the_papers():
    found = []
    for initialization in ("local", "papers"):
        keras.utils.set_random_seed(1)
        model = kp.build_classifier(
            kp.Entities(5, 3), 2, initialization=initialization, **SIZES, **HEADS
        )
        found.append(model.get_weights())
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)


def test_seeds_decide():
    def weights(seed):
        keras.utils.set_random_seed(seed)
        return kp.build_classifier(kp.Text(30, 20, 16), 3, **SIZES).get_weights()

    assert all((a == b).all() for a, b in zip(weights(1), weights(1)))
    differ = [(a != b).any() for a, b in zip(weights(1), weights(2)) if a.std() > 0]
    assert np.mean(differ) > 0.8


@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_float16", "float64"])
def test_every_precision_starts_local(dtype):
    model = kp.build_classifier(kp.Array((60, 2)), 3, dtype=dtype, **SIZES, **HEADS)
    mean, std = centres(scores(model, normal(60, 2))[0][0].astype("float32"), cells(60))
    assert std.mean() < 0.12 and mean.std(axis=1).mean() > 0.2


def test_saved_and_loaded_it_is_the_same(tmp_path):
    model = kp.build_masked_language_model(30, 20, dim=16, **SIZES)
    x = whole(20, 30)
    model.run_eagerly = True  # tracing takes far longer than these steps
    model.fit(x, x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = True
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


def test_repeated_cross_attends_all_start_local():
    model = kp.build_classifier(kp.Array((60, 2)), 3, num_cross_attends=3, **{**SIZES, **HEADS})
    layers = [one for one in model.encoder.layers if isinstance(one, CrossAttention)]
    assert len(layers) == 2  # the first, and one that the others share
    mean, std = centres(scores(model, normal(60, 2))[0][0], cells(60))
    assert std.mean() < 0.23 and mean.std(axis=1).mean() > 0.12


def test_latents_of_a_series_read_all_of_it_for_one_answer():
    """Unless there is more than one answer, or no convolution before."""
    wide, uniform = {}, cells(26).std()
    for name, output in (("one", kp.Classes(3)), ("many", kp.Grid((9,), channels=1))):
        for stem, length in (("conv", 101), ("steps", 26)):
            series = kp.Series(length, 2, stem=stem)
            model = kp.build_perceiver_io(series, output, attention="plain", **SIZES, **HEADS)
            read = scores(model, normal(length, 2))[0][0].mean(axis=0)  # over heads
            wide[name, stem] = centres(read, cells(26))[1].mean() / uniform
    assert wide["one", "conv"] > 0.6
    assert max(wide[key] for key in wide if key != ("one", "conv")) < 0.5, wide
