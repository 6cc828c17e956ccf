from pathlib import Path

import pytest

from tests.data.sources import data_table

DOCS = Path(__file__).parents[3] / "docs" / "data.md"


@pytest.mark.slow
def test_the_table_in_the_docs_is_that_of_the_data_sets(tmp_path):
    lines = data_table.table(tmp_path)
    first = DOCS.read_text().splitlines()
    start = first.index(lines[0])
    assert first[start : start + len(lines)] == lines
    assert not first[start + len(lines)].startswith("|")
