import io
import sys

import matplotlib.image
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.inputs.byte_vocabulary import NUM_SPECIAL
from keras_perceiver.visualization import attention_maps, plot_attention
from tests.random_values import normal, randomize

SIZES = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1, "compile": False}
TEXT = "Größe $5".encode()


@pytest.fixture(scope="module")
def model():
    inputs = {
        "picture": kp.Image(7, 5, 3, num_bands=2),
        "film": kp.Video(3, 8, 4, 1, num_bands=2),
        "sound": kp.Audio(24, samples_per_patch=4),
        "text": kp.Text(13, dim=8),
        "cloud": kp.Points(9, 3, masked=True, num_bands=2),
        "table": kp.Table(2, (3,), dim=6),
        "frames": kp.FramePair(4, 6, stem_channels=8),
        "units": kp.Entities(5, 3),
    }
    outputs = {"kind": kp.Classes(3), "copy": kp.Reconstruction("picture")}
    return randomize(kp.build_perceiver_io(inputs, outputs, num_cross_attends=2, **SIZES))


@pytest.fixture(scope="module")
def raw():
    text = np.zeros((2, 13), "int32")
    text[:, : len(TEXT)] = np.frombuffer(TEXT, "uint8") + NUM_SPECIAL
    return {
        "picture": normal(2, 7, 5, 3),
        "film": normal(2, 3, 8, 4, 1),
        "sound": normal(2, 24, 1),
        "text": text,
        "cloud": normal(2, 9, 3),
        "cloud_mask": np.arange(9)[None].repeat(2, 0) < 6,
        "table": normal(2, 2),
        "table_categories": np.zeros((2, 1), "int32"),
        "frames": normal(2, 2, 4, 6, 3),
        "units": normal(2, 5, 3),
        "units_mask": np.arange(5)[None].repeat(2, 0) < 4,
    }


def written(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=20)
    pyplot = sys.modules.get("matplotlib.pyplot")
    return len(file.getvalue()) > 1000 and (pyplot is None or not pyplot.get_fignums())


def panel(figure, name):
    (found,) = (one for one in figure.subfigs if one.get_suptitle() == name)
    return found


def test_every_kind_of_input_is_drawn_with_its_map(model, raw):
    figure = plot_attention(model, raw, 1, output="copy", query=3, title="A title")
    assert figure.get_suptitle().startswith("A title\n") and "no proof" in figure.get_suptitle()
    maps = attention_maps(model, raw, queries={"copy": [3], "kind": [0]})["copy"]
    maps = {name: one[1, 0] for name, one in maps.items()}

    def images(name):
        return [np.asarray(a.get_images()[0].get_array()) for a in panel(figure, name).axes[:-1]]

    above, below = images("picture")
    assert above.shape == (7, 5, 3)
    np.testing.assert_allclose(below, maps["picture"])
    np.testing.assert_allclose(images("film")[len(maps["film"]) :], maps["film"])
    np.testing.assert_allclose(images("frames")[1], maps["frames"])
    np.testing.assert_allclose(images("sound")[0][0], maps["sound"])
    np.testing.assert_allclose(images("text")[0][0, : len(TEXT)], maps["text"][: len(TEXT)])
    letters = [text.get_text() for text in panel(figure, "text").axes[0].texts]
    assert letters == ["G", "r", "·", "·", "·", "·", "e", " ", "\\$", "5"]
    drawn = panel(figure, "cloud").axes[0].collections[0].get_array()
    np.testing.assert_allclose(drawn, maps["cloud"][:6])  # the others are absent
    bars = panel(figure, "table").axes[0].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], 100 * maps["table"])
    bars = panel(figure, "units").axes[0].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], 100 * maps["units"])
    assert maps["units"][4] == 0  # an unused slot
    shares = figure.subfigs[8].axes[0].patches
    np.testing.assert_allclose(sum(bar.get_width() for bar in shares), 100, rtol=1e-5)
    assert written(figure)


def test_a_latent_over_the_cross_attends(model, raw):
    figure = plot_attention(model, raw, latent=2)
    maps = attention_maps(model, raw, "encoder", latents=[2])["picture"]
    for number in (0, 1):
        below = panel(figure, f"picture, latent 2, cross-attend {number + 1}").axes[1]
        np.testing.assert_allclose(below.get_images()[0].get_array(), maps[0, number, 0])


NAMES = [f"column {n}" for n in range(19)]


def bars_of(num_numbers, names, batch=1):
    table = kp.Table(num_numbers, (3,), dim=6, column_names=names)
    model = randomize(kp.build_classifier(table, 3, **SIZES), stddev=0.5)
    codes = np.ones((batch, 1), "int32")
    given = {"table": normal(batch, num_numbers), "table_categories": codes}
    figure = plot_attention(model, given)
    axes = figure.subfigs[0].axes[0]
    assert written(figure)
    widths = [bar.get_width() for bar in axes.patches]
    shares = 100 * attention_maps(model, given)["classes"]["table"][0, 0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    return names, widths, shares, axes.get_xlabel()


def test_columns_of_a_table_have_their_names():
    names, widths, shares, _ = bars_of(2, ["age", "$ a day $", "a very long name of a column"])
    assert names == ["age", "$ a day $", "a very long name of a c…"]
    np.testing.assert_allclose(widths, shares, rtol=1e-5)


def test_of_many_columns_the_largest_are_drawn():
    names, widths, shares, label = bars_of(18, NAMES)
    largest = sorted(np.argsort(-shares)[:16])
    assert names == [NAMES[n] for n in largest]
    np.testing.assert_allclose(widths, shares[largest], rtol=1e-5)
    told = label.removeprefix("share of attention in %\n3 other columns have ").removesuffix(" %")
    np.testing.assert_allclose(float(told), 100 - sum(widths), rtol=0.01)


def test_several_examples_with_headings(model, raw):
    figure = plot_attention(model, raw, [1, 0], output="kind", headings=["one", "none"])
    maps = attention_maps(model, raw, queries={"copy": [0]})["kind"]["picture"]
    for row, (number, heading) in enumerate([(1, "one"), (0, "none")]):
        below = panel(figure, f"picture, {heading}").axes[1]
        np.testing.assert_allclose(below.get_images()[0].get_array(), maps[number, 0], rtol=1e-5)
        assert figure.subfigs[9 * row].get_suptitle() == f"cloud, {heading}"  # in order of names
    model = kp.build_classifier(kp.Array((6, 2), num_bands=2), 3, head="mean", **SIZES)
    figure = plot_attention(model, normal(4, 6, 2), [3, 0, 1, 2], headings=list("abcd"))
    drawn = [one.get_suptitle() for one in figure.subfigs if one.axes]
    assert drawn == list("abcd") and len(figure.subfigs) == 4
    assert list(figure.get_size_inches()) == [9.6, 7.8]  # two lines of two


def test_a_few_lines_of_bytes_are_low():
    model = kp.build_classifier({"text": kp.Text(70, dim=8)}, 3, head="mean", **SIZES)
    ids = np.full((2, 70), 100, "int32")
    ids[0, 33:] = 0  # two lines; the other has three
    heights = [plot_attention(model, {"text": ids}, n).get_figheight() for n in (0, 1)]
    np.testing.assert_allclose(heights, [0.6 + 0.9 + 0.5, 0.6 + 0.9 + 0.75])


def test_one_input_has_no_bar_of_shares():
    model = kp.build_classifier(kp.Array((6, 2), num_bands=2), 3, head="mean", **SIZES)
    figure = plot_attention(model, normal(1, 6, 2))
    assert len(figure.subfigs) == 1 and len(figure.subfigs[0].axes[0].lines) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "`output` must be one of"),
        ({"output": "film"}, "`output` must be one of"),
        ({"output": "kind", "query": 1}, r"`queries` must lie in \[0, 1\)"),
        ({"output": "kind", "example": 2}, "`example` must be below 2"),
        ({"output": "kind", "example": [0, 2]}, "`example` must be below 2"),
        ({"output": "kind", "example": []}, "`example` must have a whole number at least"),
        ({"output": "kind", "example": [0, 0.5]}, "`example` must be a whole number"),
        ({"output": "kind", "headings": ["a", "b"]}, "`headings` must be a list of 1 texts"),
        ({"output": "kind", "headings": "a"}, "`headings` must be a list of 1 texts"),
        ({"latent": 3}, r"`latents` must lie in \[0, 3\)"),
    ],
)
def test_bad_arguments(model, raw, options, message):
    with pytest.raises(ValueError, match=message):
        plot_attention(model, raw, **options)


@pytest.mark.slow
def test_pictures_for_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = kp.build_classifier(kp.Array((6, 5, 2), num_bands=2), 3, **{**SIZES, "compile": True})
    look = kp.visualization.AttentionToTensorBoard(tmp_path, normal(4, 6, 5, 2), (0, 3), every=2)
    images, labels = normal(8, 6, 5, 2), np.arange(8) % 3
    model.fit(images, labels, epochs=3, verbose=0, callbacks=[look])
    events = EventAccumulator(str(tmp_path / "attention"), size_guidance={"tensors": 0})
    tags = events.Reload().Tags()["tensors"]
    assert set(tags) == {"attention/example_0", "attention/example_3"}
    assert [one.step for one in events.Tensors(tags[0])] == [0, 2]
    with pytest.raises(TypeError, match="AttentionToTensorBoard.* has no argument `querry`.*query"):
        kp.visualization.AttentionToTensorBoard(tmp_path, images, querry=2)


def test_the_title_of_one_panel_is_not_cut_off(no_local_start):
    model = kp.build_classifier((8, 8, 1), 3, num_latents=5, latent_dim=8)
    file = io.BytesIO()
    plot_attention(model, np.ones((1, 8, 8, 1))).savefig(file, format="png")
    file.seek(0)
    pixels = matplotlib.image.imread(file)[..., :3]
    assert pixels[:, [0, -1]].min() == 1  # nothing reaches the edges
