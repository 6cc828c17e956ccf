"""What the site does beside MkDocs: its first page, and links to files that are no pages."""

import ast
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PARTS = (
    "models",
    "inputs",
    "outputs",
    "layers",
    "presets",
    "checkpoints",
    "data",
    "preparation",
    "training",
    "tuning",
    "finetuning",
    "export",
    "inspection",
    "visualization",
)
MORE_MODELS = ("averaged_adamw.AveragedAdamW", "costs.Costs", "costs.costs", "lamb.Lamb")
PICTURES = ("benchmarks/results/cpu.png",)


def on_files(files, config):
    """Adds the README as the first page, the reference, and pictures from outside docs/."""
    readme = (ROOT / "README.md").read_text().replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    for part in PARTS:
        files.append(File.generated(config, f"api/{part}.md", content=reference(part)))
    for name in PICTURES:
        if (ROOT / name).is_file():
            place = f"pictures/{Path(name).name}"
            files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def reference(part):
    """The page on one part of the package: its docstring and everything in its `__all__`."""
    tree = ast.parse((ROOT / "keras_perceiver" / part / "__init__.py").read_text())
    defined, public = {}, []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                defined[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            public = ast.literal_eval(node.value)
    paths = [defined[name] for name in public if name in defined]
    if part == "models":
        paths += [f"keras_perceiver.models.{name}" for name in MORE_MODELS]
        paths += ["keras_perceiver.models.transfer.transfer"]
    paths = sorted(set(paths), key=lambda path: path.rpartition(".")[2].lower())
    title = f"kp.{part}" if part not in PARTS[:4] else part.capitalize()
    blocks = "\n\n".join(f"::: {path}" for path in paths)
    return f"# {title}\n\n{ast.get_docstring(tree) or ''}\n\n{blocks}\n"


def on_page_markdown(markdown, page, config, files):
    """Links to files outside docs/ become their names, since the site does not have them."""
    here = (Path("docs") / page.file.src_uri).parent
    if page.file.src_uri == "index.md":
        here = Path("docs")
    depth = len(Path(page.file.src_uri).parents) - 1

    def replaced(match):
        words, target = match.groups()
        if "://" in target or target.startswith("#"):
            return match.group(0)
        path = (ROOT / here / target.split("#")[0]).resolve()
        if path.is_relative_to(ROOT / "docs") and path.exists():
            return match.group(0)
        for name in PICTURES:
            if path == (ROOT / name).resolve():
                return f"![{words}]({'../' * depth}pictures/{Path(name).name})"
        return words if "`" in words else f"{words} (`{target.lstrip('./')}`)"

    return re.sub(r"!?\[([^\]]*)\]\(([^)\s]+)\)", replaced, markdown)
