"""Makes the notebooks of this folder from their .py sources, and runs them from top to bottom.

    pip install nbformat nbclient ipykernel
    python examples/notebooks/make.py             # all
    python examples/notebooks/make.py fine_tune   # one

"# %%" starts a cell of code, "# %% [markdown]" one of text. Outputs are saved, but not what goes to
standard error.
"""

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "make")


def notebook(source):
    """An nbformat notebook from the text of a source."""
    cells = []
    for part in ("\n" + source).split("\n# %%")[1:]:
        head, _, body = part.partition("\n")
        if head.strip() == "[markdown]":
            lines = [line.removeprefix("#").removeprefix(" ") for line in body.strip().splitlines()]
            cells.append(nbformat.v4.new_markdown_cell("\n".join(lines)))
        else:
            cells.append(nbformat.v4.new_code_cell(body.strip()))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # so that the file changes only where the source does
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def run(made, timeout=600):
    """Runs a notebook; its outputs without those of standard error, and without times."""
    NotebookClient(made, timeout=timeout, kernel_name="python3").execute()
    for cell in made.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if not is_log(one)]
    return made


def is_log(output):
    """Whether it was written to standard error, or by TensorFlow, which logs in both streams."""
    return output.get("name") == "stderr" or output.get("text", "").startswith("INFO:tensorflow")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[])
    for name in parser.parse_args(arguments).names or NAMES:
        made = run(notebook((FOLDER / f"{name}.py").read_text()))
        path = FOLDER / f"{name}.ipynb"
        nbformat.write(made, path)
        print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
