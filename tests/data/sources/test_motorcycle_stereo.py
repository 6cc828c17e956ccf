import numpy as np
import pytest

from tests.data.sources.prepared import counts, prepared, read


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    return prepared("motorcycle_stereo", tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def pair(builder):
    (example,) = read(builder, "test")
    return example


def test_shapes_and_values(builder, pair):
    assert counts(builder) == {"test": 1}
    assert pair["first"].shape == pair["second"].shape == (500, 741, 3)
    assert pair["flow"].shape == (500, 741, 2) and pair["flow"].dtype == "float32"
    flow, valid = pair["flow"], pair["valid"]
    assert np.isfinite(flow).all() and not flow[..., 1].any()
    assert valid.sum() == 343_274 and not flow[~valid].any()
    assert flow[valid][:, 0].max() < -7 and flow[valid][:, 0].min() > -70


def brightness_error(pair, first, second, sign):
    """Mean difference of `first` and of `second` where the flow times `sign` points."""
    rows, columns = np.nonzero(pair["valid"])
    target = columns + sign * pair["flow"][rows, columns, 0]
    inside = (target >= 0) & (target <= 740)
    rows, columns, target = rows[inside], columns[inside], target[inside]
    left = np.minimum(target.astype(int), 739)
    part = (target - left)[:, None]
    second = pair[second].astype("float32")
    warped = (1 - part) * second[rows, left] + part * second[rows, left + 1]
    return np.abs(warped - pair[first][rows, columns]).mean()


def test_the_flow_takes_the_first_image_to_the_second(pair):
    right = brightness_error(pair, "first", "second", 1)
    assert right < 8
    assert right * 4 < brightness_error(pair, "first", "second", 0)  # no motion
    assert right * 4 < brightness_error(pair, "first", "second", -1)  # the opposite
    # Nor is the disparity that of the points of the second image, where they come from.
    assert right * 1.5 < brightness_error(pair, "second", "first", -1)
