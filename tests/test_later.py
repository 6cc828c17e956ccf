"""The list of tests that mostly run with the slow ones names tests that there are."""

import re
from pathlib import Path

import pytest

from tests.later import ALL, ONE_OF, is_later

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("name", [*ONE_OF, *ALL])
def test_there_is_such_a_test(name):
    path, _, test = name.partition("::")
    assert re.search(rf"^def {test}\(", (FOLDER / path).read_text(), re.MULTILINE)


def test_the_first_of_every_so_many_runs_before_each_commit():
    counts, test = {}, "models/test_every_input_with_every_output.py::test_one_step"
    found = [is_later(f"{test}[{case}]", counts) for case in range(2 * ONE_OF[test])]
    assert found == 2 * [False, *(ONE_OF[test] - 1) * [True]]
    assert not is_later("models/test_lamb.py::test_which[a]", counts)
    assert not is_later("models/test_lamb.py::test_which[b]", counts)
    assert is_later(ALL[0], counts)
