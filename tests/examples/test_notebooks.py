"""The notebooks run from top to bottom, and those in the repository are made from their sources."""

import importlib.util
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "make")
LARGEST = 400 * 1024  # bytes of a notebook with its outputs


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_notebooks", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pictures(notebook):
    """Number of pictures among the outputs of each cell of code."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [sum("image/png" in one.get("data", {}) for one in cell.outputs) for cell in code]


def test_there_are_four():
    assert len(NAMES) == 4


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_that_of_its_source(make, name):
    kept = nbformat.read(FOLDER / f"{name}.ipynb", 4)
    made = make.notebook((FOLDER / f"{name}.py").read_text())
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == [
        (cell.cell_type, cell.source) for cell in made.cells
    ]
    drawn = any(word in str(made.cells) for word in ("draw_", "plot_"))
    assert bool(sum(pictures(kept))) == drawn
    assert (FOLDER / f"{name}.ipynb").stat().st_size < LARGEST
    for cell in kept.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error" and "/tmp/" not in str(output)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_shows_the_same_pictures(make, name):
    kept = nbformat.read(FOLDER / f"{name}.ipynb", 4)
    made = make.run(make.notebook((FOLDER / f"{name}.py").read_text()))
    assert pictures(made) == pictures(kept)
