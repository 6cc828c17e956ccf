"""The code of pages in docs/ that make their data runs from top to bottom; links lead somewhere."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ["look_inside.md", "describe_your_data.md"]
PAGES += sorted(str(page.relative_to(DOCS)) for page in (DOCS / "tasks").glob("*.md"))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_code_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in re.findall("```python\n(.*?)```", (DOCS / page).read_text(), re.S):
        exec(compile(code, page, "exec"), names)
    if page == "look_inside.md":
        assert names["maps"]["classes"]["image"].shape == (8, 1, 7, 7)
        assert names["read"]["image"].shape == (8, 1, 1, 7, 7)
        assert names["added"]["image"].shape == (8, 7, 7)


def test_links_to_files_lead_somewhere():
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md"), DOCS.parent / "CONTRIBUTING.md"]
    for page in pages:
        text = re.sub("```.*?```", "", page.read_text(), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
