"""The colours of directions."""

import numpy as np
import pytest

import keras_perceiver as kp

flow_picture = kp.preparation.flow_picture


def wheel():
    """The 55 colours of the published definition, written out."""
    steps = [np.floor(255 * np.arange(n) / n) for n in (15, 6, 4, 11, 13, 6)]
    colours = np.zeros((55, 3))
    plan = [(0, 1, 0), (1, 0, 1), (1, 2, 0), (2, 1, 1), (2, 0, 0), (0, 2, 1)]
    start = 0
    for step, (full, changing, falls) in zip(steps, plan):
        rows = slice(start, start + len(step))
        colours[rows, full] = 255
        colours[rows, changing] = 255 - step if falls else step
        start += len(step)
    return colours


def test_the_wheel_is_the_published_one():
    """At length 1, the 55 colours are met at 54 equal parts of a turn."""
    angle = np.arange(54) / 54 * 2 * np.pi + 1e-9
    flow = 0.99999 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)[None]
    picture = flow_picture(flow, max_length=1.0)[0]
    assert picture.dtype == "uint8"
    assert np.abs(picture.astype(int) - wheel()[:54]).max() <= 1


def test_directions_have_the_colours_that_are_promised():
    """Right, down, left and up."""
    flow = np.array([[[2.0, 0.0], [-0.0, 2.0], [-2.0, -0.0], [0.0, -2.0], [0.0, 0.0]]])
    (right, down, left, up, none) = flow_picture(flow)[0].tolist()
    assert right == [255, 0, 0] and none == [255, 255, 255]
    assert down[0] == 255 and down[1] > 200 and down[2] == 0  # yellow
    assert left[0] == 0 and left[1] > 150 and left[2] == 255  # blue
    assert 50 < up[0] < 150 and up[1] == 0 and up[2] == 255  # violet


def test_lengths_are_saturations():
    flow = np.array([[[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [8.0, 0.0]]])
    assert flow_picture(flow, max_length=4.0)[0].tolist() == [
        [255, 191, 191],
        [255, 127, 127],
        [255, 0, 0],
        [191, 0, 0],  # longer than what is drawn in full colour
    ]
    np.testing.assert_array_equal(flow_picture(flow), flow_picture(flow, max_length=8.0))
    np.testing.assert_array_equal(flow_picture(flow[None])[0], flow_picture(flow))


def test_unknown_flow_is_black():
    flow = np.zeros((2, 2, 2))
    flow[0, 0, 1], flow[0, 1, 0], flow[1, 0, 0] = np.nan, np.inf, 1e10
    assert flow_picture(flow).reshape(4, 3).tolist() == [[0] * 3] * 3 + [[255] * 3]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"flow": np.zeros((3, 5))}, r"`flow` must have shape \(height, width, 2\)"),
        ({"flow": np.zeros((3, 5, 3))}, r"`flow` must have shape .* Received: .* \(3, 5, 3\)"),
        ({"flow": "flow"}, "`flow` must be an array of numbers"),
        ({"flow": np.zeros((3, 5, 2)), "max_length": 0}, "`max_length` must be a finite number"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        flow_picture(**arguments)
