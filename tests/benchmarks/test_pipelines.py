import re

import pytest

from benchmarks import pipelines

pytestmark = pytest.mark.slow


def test_only_late_steps_count():
    assert pipelines.mean_interval([0, 9, 10, 12, 14, 16, 18, 20]) == 2


@pytest.mark.tensorflow
@pytest.mark.parametrize("row", ["digits", "texts"])  # photographs take longer
def test_pipelines_feed_their_models(row, tmp_path):
    output = tmp_path / "pipelines.md"
    pipelines.main(["--rows", row, "--steps", "4", "--rounds", "1", "--output", str(output)])
    line = output.read_text().splitlines()[4]
    assert line.startswith(f"| {pipelines.ROWS[row].__doc__} |")
    numbers = [float(n) for n in re.findall(r"\d+\.\d+", line.split("|", 2)[2])]
    assert len(numbers) == 4 and min(numbers[1:]) > 0
