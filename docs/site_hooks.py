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
PICTURES = sorted((ROOT / "benchmarks" / "results").glob("*.png"))


def on_files(files, config):
    """Adds the README as the first page, the reference, and pictures from outside docs/."""
    readme = (ROOT / "README.md").read_text().replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    for part in PARTS:
        files.append(File.generated(config, f"api/{part}.md", content=reference(part)))
    for path in PICTURES:
        files.append(File.generated(config, f"pictures/{path.name}", abs_src_path=str(path)))
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
    """Links to files outside docs/ become their names, since the site does not have them.

    Pictures lead to themselves in full size, which narrow screens have no room for.
    """
    here = (Path("docs") / page.file.src_uri).parent
    if page.file.src_uri == "index.md":
        here = Path("docs")
    depth = len(Path(page.file.src_uri).parents) - 1

    def replaced(match):
        words, target = match.groups()
        if "://" in target or target.startswith("#"):
            return match.group(0)
        path = (ROOT / here / target.split("#")[0]).resolve()
        picture = match.group(0).startswith("!")
        if path in PICTURES:
            target = f"{'../' * depth}pictures/{path.name}"
            return f"[![{words}]({target})]({target})"
        if path.is_relative_to(ROOT / "docs") and path.exists():
            return f"[{match.group(0)}]({target})" if picture else match.group(0)
        name = target.lstrip("./")
        if "`" in words:
            return words
        return f"`{name}`" if name.endswith(words.lstrip("./")) else f"{words} (`{name}`)"

    # Code has brackets before parentheses, too: `signatures["encode"](image=images)`.
    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.S | re.M)
    link = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")
    return "".join(part if i % 2 else link.sub(replaced, part) for i, part in enumerate(parts))
