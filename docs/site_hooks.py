"""What the site does beside MkDocs: its first page, and links to files that are no pages."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PICTURES = ("benchmarks/results/cpu.png",)


def on_files(files, config):
    """Adds the README as the first page, and pictures from outside docs/."""
    readme = (ROOT / "README.md").read_text().replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    for name in PICTURES:
        if (ROOT / name).is_file():
            place = f"pictures/{Path(name).name}"
            files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links to files outside docs/ become their names, since the site does not have them."""
    here = (Path("docs") / page.file.src_uri).parent
    if page.file.src_uri == "index.md":
        here = Path("docs")
    depth = len(Path(page.file.src_uri).parents) - 1

    def replaced(match):
        picture, words, target = match.groups()
        if "://" in target or target.startswith("#"):
            return match.group(0)
        path = (ROOT / here / target.split("#")[0]).resolve()
        if path.is_relative_to(ROOT / "docs") and path.exists():
            return match.group(0)
        for name in PICTURES:
            if path == (ROOT / name).resolve():
                return f"![{words}]({'../' * depth}pictures/{Path(name).name})"
        return picture * 0 + f"{words} (`{target.lstrip('./')}`)" if "`" not in words else words

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", replaced, markdown)
