import io
import pickle
import sys

import numpy as np
import pytest

from keras_perceiver.visualization import draw_attention, draw_history
from tests.random_values import normal

IMAGES = np.abs(normal(5, 3, 7, 1))
MAPS = np.abs(normal(5, 21)) / 50
HISTORY = {
    "accuracy": [0.2, 0.7, 0.9],
    "loss": [2.0, 1.0, 0.5],
    "val_accuracy": [0.3, 0.6, 0.8],
    "val_loss": [1.9, 1.1, 0.7],
}


def written(figure):
    """Whether a picture comes out, without a display."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return len(file.getvalue()) > 1000


def no_window_state():
    pyplot = sys.modules.get("matplotlib.pyplot")
    return pyplot is None or not pyplot.get_fignums()


def pictures(figure):
    return [axes for axes in figure.axes if axes.get_images()]


def test_images_stand_over_their_maps():
    figure = draw_attention(IMAGES, MAPS, columns=3, title="Five images")
    assert written(figure) and no_window_state()
    panels = pictures(figure)
    assert len(panels) == 10
    above, below = panels[0], panels[3]  # three images, then their three maps
    np.testing.assert_allclose(above.get_images()[0].get_array(), IMAGES[0, ..., 0])
    np.testing.assert_allclose(below.get_images()[0].get_array(), MAPS[0].reshape(3, 7))
    np.testing.assert_allclose(panels[8].get_images()[0].get_array(), MAPS[3].reshape(3, 7))
    assert figure.get_suptitle() == "Five images"


def test_all_maps_have_one_colour_scale_from_zero():
    figure = draw_attention(IMAGES, MAPS)
    limits = {axes.get_images()[0].get_clim() for axes in pictures(figure)[5:]}
    assert limits == {(0, MAPS.max())}


def test_the_outline_of_the_ink_is_drawn_on_the_map():
    image = np.zeros((1, 3, 5))
    image[0, 1, 2:4] = [1, 0.6]  # two dark pixels side by side, and a light one
    image[0, 0, 0] = 0.4
    (collection,) = pictures(draw_attention(image, np.ones((1, 3, 5)) / 15))[1].collections
    lines = {frozenset(map(tuple, line)) for line in collection.get_segments()}
    corners = [(1.5, 0.5), (2.5, 0.5), (3.5, 0.5), (3.5, 1.5), (2.5, 1.5), (1.5, 1.5)]
    assert lines == {frozenset(pair) for pair in zip(corners, corners[1:] + corners[:1])}


def test_headings_and_wrong_predictions_in_red():
    figure = draw_attention(
        IMAGES[:2], MAPS[:2], true_classes=[0, 1], predictions=[0, 2], class_names=["a", "b", "c"]
    )
    right, wrong = (axes.title for axes in pictures(figure)[:2])
    assert right.get_text() == "is a\nread as a"
    assert wrong.get_text() == "is b\nread as c"
    assert right.get_color() != wrong.get_color() == "#c01818"


def test_colour_images_and_coarser_maps():
    assert written(draw_attention(np.zeros((2, 8, 6, 3)), np.ones((2, 4, 3))))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"images": IMAGES[..., [0, 0]]}, r"1 or 3 channels.*\(5, 3, 7, 2\)"),
        ({"maps": MAPS[:4]}, r"one map for each.*\(4, 3, 7\)"),
        ({"maps": MAPS[:, :20]}, r"one map for each.*\(5, 20\)"),
        ({"true_classes": [1, 2]}, "`true_classes` must have one class for each of 5.*\(2,\)"),
        ({"predictions": np.zeros(6)}, "`predictions` must have one class for each of 5.*\(6,\)"),
        ({"columns": 0}, "`columns` must be a whole number of at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_attention(**{"images": IMAGES, "maps": MAPS, **arguments})


@pytest.mark.parametrize("shape", [(2, 1, 64), (2, 3, 64), (2, 1, 16)])
def test_maps_with_the_axis_of_queries_are_no_stripes(shape):
    with pytest.raises(ValueError, match=r"maps\[:, 0\] are those of the first query"):
        draw_attention(np.zeros((2, 8, 8)), np.zeros(shape))


def test_history_has_a_panel_for_loss_and_one_for_accuracy():
    figure = draw_history(HISTORY, title="Three epochs")
    assert written(figure) and no_window_state()
    loss, accuracy = figure.axes
    train, validation = accuracy.get_lines()
    np.testing.assert_array_equal(train.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(train.get_ydata(), HISTORY["accuracy"])
    np.testing.assert_array_equal(validation.get_ydata(), HISTORY["val_accuracy"])
    assert "0.700" in loss.get_title() and "0.800" in accuracy.get_title()
    assert [text.get_text() for text in loss.get_legend().get_texts()] == [
        "training",
        "validation",
    ]


def test_history_without_validation_and_of_one_epoch():
    figure = draw_history({"loss": [1.0]})
    assert len(figure.axes) == 1 and len(figure.axes[0].get_lines()) == 1
    assert figure.axes[0].get_lines()[0].get_marker() == "o"  # one point makes no line
    assert written(figure)


@pytest.mark.parametrize("history", [None, {}, {"loss": []}])
def test_no_history(history):
    with pytest.raises(ValueError, match="`history` must be what model.fit returned"):
        draw_history(history)


def test_without_matplotlib(monkeypatch):
    def import_module(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name="matplotlib")

    monkeypatch.setattr("keras_perceiver.extras.importlib.import_module", import_module)
    with pytest.raises(ImportError, match=r"matplotlib.*'keras-perceiver\[visualization\]'"):
        draw_history(HISTORY)


def test_a_notebook_shows_every_figure():
    drawn = draw_history({"loss": [2.0, 1.0]})
    again = pickle.loads(pickle.dumps(drawn))
    for figure in (drawn, again):
        assert figure._repr_png_().startswith(b"\x89PNG")
