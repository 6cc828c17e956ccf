"""All code of the README and of the pages in docs/ runs; links and commands lead somewhere."""

import ast
import re
import runpy
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import keras
import pytest

from tests import stand_ins

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}
BLOCK = re.compile("^```python\n(.*?)^```$", re.S | re.M)

# What a page downloads, or expects in a directory, comes from here instead.
INSTEAD = {
    "README.md": stand_ins.mnist,
    "docs/data.md": stand_ins.data_sets,
    "docs/published_weights.md": stand_ins.hub,
    "docs/scale.md": stand_ins.few_digits,
    "docs/transfer.md": stand_ins.few_digits,
    "docs/tune.md": stand_ins.few_trials,
}


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, text in TEXTS.items() if BLOCK.search(text)])
def test_code_runs(page, tmp_path, monkeypatch, capsys, quick):
    monkeypatch.chdir(tmp_path)
    if page in INSTEAD:
        INSTEAD[page](monkeypatch, tmp_path)
    names = {"__name__": page}
    for block in BLOCK.finditer(TEXTS[page]):
        line = TEXTS[page][: block.start()].count("\n") + 1
        exec(compile("\n" * line + block[1], ROOT / page, "exec"), names)
    if page in RESULTS:
        RESULTS[page](names)


@pytest.fixture
def quick(monkeypatch, no_local_start):
    """One epoch, and no XLA, whose compiling takes longer than a few steps do without it."""
    monkeypatch.setattr(
        "keras_perceiver.models.compiling._gains_from_xla_on_cpu", lambda model: False
    )
    fit = keras.Model.fit

    def one_epoch(self, *data, initial_epoch=0, epochs=1, **options):
        # kp.training.fit counts epochs itself.
        epochs = min(epochs, initial_epoch + 1)
        return fit(self, *data, initial_epoch=initial_epoch, epochs=epochs, **options)

    monkeypatch.setattr(keras.Model, "fit", one_epoch)


def looked_inside(names):
    assert names["maps"]["classes"]["image"].shape == (8, 1, 7, 7)
    assert names["read"]["image"].shape == (8, 1, 1, 7, 7)
    assert names["added"]["image"].shape == (8, 7, 7)


def made_batches(names):
    images, labels, *_ = next(iter(names["augmented"]))
    assert images.shape == (128, 224, 224, 3)


RESULTS = {"docs/look_inside.md": looked_inside, "docs/data.md": made_batches}


@pytest.mark.parametrize("page", TEXTS)
def test_every_block_of_python_is_run(page):
    """Also one that is indented, or written with other fences, which `BLOCK` would not find."""
    opened = re.findall(r"^[ \t>]*(?:`{3,}|~{3,}) *\{?\.?(?:py|ipy)", TEXTS[page], re.M | re.I)
    assert len(BLOCK.findall(TEXTS[page])) == len(opened)
    for words in ("import keras", "kp.", ">>> "):
        rest = re.sub("```.*?```|`[^`\n]*`", "", TEXTS[page], flags=re.S)
        indented = re.findall(rf"^(?: {{4}}|\t).*{re.escape(words)}.*", rest, re.M)
        assert not indented, f"code of {page} outside of fences: {indented}"


def commands(text):
    """Lines of blocks of bash, and of indented ones; the parts of one line joined."""
    blocks = re.findall("^```(?:bash|sh|console)\n(.*?)^```$", text, re.S | re.M)
    fenced = re.sub("```.*?```", "", text, flags=re.S)
    lines = "\n".join([*blocks, *re.findall(r"^(?: {4}|\t)(.*)", fenced, re.M)])
    inline = re.findall(r"`((?:[A-Z_]+=\S+ )*(?:python|make|pip) [^`]+)`", fenced)
    return [*lines.replace("\\\n", " ").splitlines(), *inline]


COMMANDS = [(page, line) for page, text in TEXTS.items() for line in commands(text)]


@pytest.mark.parametrize("page, line", COMMANDS)
def test_commands_name_what_exists(page, line):
    line = line.partition(" #")[0]
    for script in re.findall(r"python (\S+\.py)", line):
        # What a page shows as a file of the reader's own has no directory.
        assert "/" not in script or (ROOT / script).is_file(), script
        if (ROOT / script).is_file():
            known = options_of(ROOT / script)
            assert set(re.findall(r" (--[\w-]+)", line)) <= known, f"{script} has {known}"
    for module in re.findall(r"python -m ([\w.]+)", line):
        if module.startswith(("tests.", "benchmarks.")):
            assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), module
    for target in re.findall(r"\bmake ([\w-]+)", line):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M), target
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for names in re.findall(r"pip install ['\"](?:\.|keras-perceiver)\[([\w,]+)\]", line):
        assert set(names.split(",")) <= set(extras["optional-dependencies"]), names


def options_of(script):
    """Texts like "--seeds" that a script has, or the modules of this repository it imports."""
    found, seen, waiting = {"--help"}, set(), [script]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"^--[\w-]+$", node.value))
            if isinstance(node, ast.ImportFrom) and node.module:
                inside = node.module.replace(".", "/")
                parts = [inside, *(f"{inside}/{name.name}" for name in node.names)]
                files = [place / f"{part}.py" for part in parts for place in (ROOT, path.parent)]
                waiting += [file for file in files if file.is_file() and file not in seen]
    return found


def test_links_to_files_lead_somewhere():
    pages = [*PAGES, ROOT / "CONTRIBUTING.md"]
    for page in pages:
        text = re.sub("```.*?```", "", page.read_text(), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", TEXTS)
def test_the_site_leaves_code_alone(page, hooks):
    name = page.removeprefix("docs/").replace("README.md", "index.md")
    shown = SimpleNamespace(file=SimpleNamespace(src_uri=name))
    text = hooks.on_page_markdown(TEXTS[page], shown, None, None)
    fences = re.compile("^```.*?^```$", re.S | re.M)
    assert fences.findall(text) == fences.findall(TEXTS[page])
    outside = fences.sub("", text)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", outside):
        beside = (ROOT / "docs" / name).parent / target.removeprefix("docs/")
        assert "://" in target or beside.exists() or Path(target).name in hooks.pictures, target


@pytest.fixture(scope="module")
def hooks():
    """docs/site_hooks.py, without MkDocs, which is not installed here."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("mkdocs", "mkdocs.structure", "mkdocs.structure.files"):
            patch.setitem(sys.modules, name, ModuleType(name))
        sys.modules["mkdocs.structure.files"].File = None
        loaded = runpy.run_path(str(ROOT / "docs" / "site_hooks.py"))
    pictures = {path.name for path in loaded["PICTURES"]}
    return SimpleNamespace(on_page_markdown=loaded["on_page_markdown"], pictures=pictures)
