import io

import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.visualization import plot_positions


def encoding(shape=(None, 28, 20, 1), **options):
    layer = kp.FourierEncoding(**{"num_bands": 3, **options})
    layer.build(shape)
    return layer


def test_bands_in_words():
    first, second, channels = encoding().explain().splitlines()
    shortest = "; the shortest is 2 of {} samples long"
    assert first == "axis 0, resolution 28: 3 bands of 1, 7.5 and 14 waves" + shortest.format(28)
    assert second == "axis 1, resolution 20: 3 bands of 1, 5.5 and 10 waves" + shortest.format(20)
    assert channels == ("channels: 2 positions, 6 sines, 6 cosines, together 14")


def test_words_for_other_encodings():
    words = encoding((None, 9, 1), num_bands=1, sine_only=True, concat_pos=False).explain()
    assert "1 band of 1 wave;" in words and words.endswith("channels: 1 sines, together 1")
    words = encoding(num_bands=64).explain()
    assert "64 bands of 1, 1.206, ... and 14 waves" in words
    with pytest.raises(ValueError, match="must be built"):
        kp.FourierEncoding(3).explain()


def test_frequencies_are_those_of_the_features():
    layer = encoding((None, 31, 1), num_bands=5)
    table = np.asarray(layer(np.zeros((1, 31, 1))))[0]
    waves = np.sin(np.pi * np.linspace(-1, 1, 31)[:, None] * layer.frequencies())
    np.testing.assert_allclose(table[:, 1:6], waves, atol=1e-5)


def test_waves_and_products_are_drawn():
    figure = plot_positions(encoding(), axis=1)
    lines, alike = figure.axes[:2]
    assert len(lines.lines) == 6 and len(lines.lines[1].get_xdata()) == 20
    products = np.asarray(alike.get_images()[0].get_array())
    assert products.shape == (20, 20)
    np.testing.assert_allclose(np.diag(products), 1)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.getvalue()


@pytest.mark.parametrize(
    "given, options, message",
    [
        (None, {}, "`encoding` must be"),
        (kp.FourierEncoding(3), {}, "must be built"),
        ("built", {"axis": 2}, "`axis` must be below 2"),
        ("built", {"size": 0}, "`size`"),
    ],
)
def test_bad_arguments(given, options, message):
    with pytest.raises(ValueError, match=message):
        plot_positions(encoding() if given == "built" else given, **options)
