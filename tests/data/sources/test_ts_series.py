import numpy as np
import pytest

from keras_perceiver.data.sources.ts_series import ts_series
from tests.data.sources.prepared import skip_without

HEADER = "#A problem\n@problemName Any\n@timeStamps false\n@classLabel true x y\n@data\n"


def test_unequal_lengths_and_channels(tmp_path):
    path = tmp_path / "any.ts"
    path.write_text(HEADER + "1,2.5,-3:4,5,6e-1:x\n\n7:8:y\n")
    series, labels = ts_series(path)
    assert labels == ["x", "y"]
    np.testing.assert_array_equal(series[0], np.float32([[1, 4], [2.5, 5], [-3, 0.6]]))
    np.testing.assert_array_equal(series[1], np.float32([[7, 8]]))
    assert series[0].dtype == "float32"


@pytest.mark.parametrize(
    "text, message",
    [
        (HEADER + "1,2:3,4:x\n1,2:3:x\n", "channels of equal length. Received: .*any.ts, line 7"),
        (HEADER + "1,two:x\n", "line 6"),
        (HEADER.replace("@timeStamps false", "@timeStamps true") + "1:x", "without time stamps"),
        (HEADER.replace("@classLabel true x y", "@targetlabel true") + "1:2", "with labels"),
        (HEADER, "with labels"),
        ("", "with labels"),
    ],
)
def test_bad_files(tmp_path, text, message):
    path = tmp_path / "any.ts"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"(?s)`path` must be a .ts file.*{message}"):
        ts_series(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["JapaneseVowels", "BasicMotions", "GunPoint"])
def test_it_reads_what_aeon_reads(name):
    """In an environment where aeon can be imported with its dependencies."""
    skip_without("aeon")
    import importlib.util
    from pathlib import Path

    try:
        from aeon.datasets import load_from_ts_file
    except Exception as error:
        pytest.skip(f"aeon cannot be imported: {error}")
    root = Path(importlib.util.find_spec("aeon").submodule_search_locations[0])
    path = root / f"datasets/data/{name}/{name}_TRAIN.ts"
    theirs, their_labels = load_from_ts_file(str(path))
    ours, labels = ts_series(path)
    assert list(their_labels) == [label.lower() for label in labels]  # as aeon writes them
    assert len(theirs) == len(ours)
    for a, b in zip(theirs, ours):
        np.testing.assert_allclose(np.transpose(a), b, rtol=1e-6)
