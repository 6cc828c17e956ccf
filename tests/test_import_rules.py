"""Who may import whom: read from the syntax trees, and seen in a fresh process."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "keras_perceiver"

# The core, lowest first: a part may import itself and what stands below it. Outputs may read
# inputs, since some are asked for in the way an input was given.
CORE = [("arguments", "version"), ("layers",), ("inputs",), ("outputs",), ("models",), ("presets",)]
EDGES = (
    "checkpoints",
    "data",
    "export",
    "finetuning",
    "inspection",
    "preparation",
    "training",
    "tuning",
    "visualization",
)
EDGE_MAY_IMPORT = {  # so that serving and training prepare examples alike
    ("export", "data"),
    ("preparation", "data"),
    ("checkpoints", "preparation"),
}
FOR_EDGES = ("extras", "forgetting", "sealed_arrays")
CORE_DEPENDENCIES = {"keras", "numpy", *sys.stdlib_module_names}
NEVER_IMPORTED = {"examples", "benchmarks", "tests"}


def row_of(part):
    return next((index for index, parts in enumerate(CORE) if part in parts), None)


def part_of(module):
    """The part of the package a module belongs to, "" for the package itself."""
    return (module.split(".") + [""])[1]


def imports(path, root):
    """(line, module, names imported from it or None) for every import in any scope."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            parents = path.relative_to(root).parts[: -node.level] if node.level else ()
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield node.lineno, module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            constant = node.args and isinstance(node.args[0], ast.Constant)
            yield node.lineno, node.args[0].value if constant else "<computed>", None


def imported_parts(module, names):
    """The parts of the package an import reaches."""
    if part_of(module) or names is None:
        return [part_of(module)]
    return [name if row_of(name) is not None or name in EDGES + FOR_EDGES else "" for name in names]


def remedy(part, module, names):
    """What to do about an import in a file of `part`, or None if it is allowed."""
    top = module.split(".")[0]
    if names and "*" in names:
        return "name what you import"
    if top in NEVER_IMPORTED:
        return f"the package must work without {top}/; move what is needed into the package"
    is_core = row_of(part) is not None
    if top != PACKAGE:
        if module == "<computed>":
            return "write a plain import" if is_core else None
        if is_core and top not in CORE_DEPENDENCIES:
            return "the core needs keras, numpy and the standard library alone; move it to an edge"
        return None
    for target in imported_parts(module, names):
        if is_core and target == "":
            return f"import from the module that defines it, as in {PACKAGE}.layers.attention"
        if is_core and row_of(target) is None:
            return f"{target} is an edge, and the core must work without it; turn the arrow around"
        if is_core and target != part and row_of(target) >= row_of(part):
            lower = ", ".join(name for parts in CORE[: row_of(part)] for name in parts)
            return f"{part} may import {lower}; move what is shared down to one of these"
        if part == "" and target in EDGES:
            return "edges are loaded on first touch; add the name to _EDGES"
        two_edges = part in EDGES and target in EDGES and target != part
        if two_edges and (part, target) not in EDGE_MAY_IMPORT:
            return f"{part} and {target} are edges; move what is shared into the core"
    return None


def broken_rules(root):
    found = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        part = path.relative_to(root / PACKAGE).parts[0].removesuffix(".py")
        part = "" if part == "__init__" else part
        assert part in ("", *EDGES, *FOR_EDGES) or row_of(part) is not None, (
            f"{path.relative_to(root)}: say in this test where {part!r} stands"
        )
        for line, module, names in imports(path, root):
            advice = remedy(part, module, names)
            if advice and not (part in ("", *FOR_EDGES) and module == "<computed>"):
                what = module if names is None else f"{module}: {', '.join(names)}"
                found.append(f"{path.relative_to(root)}:{line}: imports {what}; {advice}")
    return found


def test_the_package_keeps_the_rules():
    found = broken_rules(ROOT)
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "file, line, advice",
    [
        ("layers/attention.py", "import tensorflow as tf", "the core needs keras, numpy"),
        ("layers/attention.py", "def f():\n    from tensorflow import io", "the core needs keras"),
        (
            "layers/attention.py",
            "from keras_perceiver import inputs",
            "layers may import arguments",
        ),
        ("layers/attention.py", "from ..inputs.array import Array", "layers may import arguments"),
        ("layers/attention.py", "from keras_perceiver import Array", "module that defines it"),
        ("inputs/image.py", "from keras_perceiver.outputs.grid import Grid", "inputs may import"),
        ("models/perceiver.py", "import keras_perceiver.data", "data is an edge"),
        ("models/perceiver.py", "__import__('keras_perceiver.data')", "data is an edge"),
        ("presets/imagenet.py", "from keras_perceiver.layers.attention import *", "name what you"),
        ("presets/imagenet.py", "import examples.digits", "must work without examples/"),
        ("__init__.py", "from keras_perceiver.data import digits", "loaded on first touch"),
        ("data/digits.py", "from ..visualization import draw", "data and visualization are edges"),
        ("data/digits.py", "from keras_perceiver.export import serve", "data and export are edges"),
        ("data/digits.py", "import keras_perceiver.preparation", "data and preparation are edges"),
    ],
)
def test_a_broken_rule_is_named_with_its_place_and_remedy(tmp_path, file, line, advice):
    path = tmp_path / PACKAGE / file
    path.parent.mkdir(parents=True)
    path.write_text(f'"""A file."""\n\n{line}\n')
    (message,) = broken_rules(tmp_path)
    place = f"{PACKAGE}/{file}:{4 if line.startswith('def') else 3}: "
    assert message.startswith(place) and advice in message


@pytest.mark.parametrize(
    "file, line",
    [
        ("layers/attention.py", "import math, keras, numpy as np\nfrom keras import ops"),
        ("layers/attention.py", "from keras_perceiver import arguments"),
        ("models/perceiver.py", "from keras_perceiver.outputs.grid import Grid"),
        ("data/digits.py", "import tensorflow as tf\nfrom keras_perceiver import extras"),
        ("data/digits.py", "from keras_perceiver.layers import Attention"),
        ("export/serve.py", "from keras_perceiver.data import digits"),
        ("preparation/clip.py", "from keras_perceiver.data.wav_samples import decoded_sound"),
    ],
)
def test_what_is_allowed(tmp_path, file, line):
    path = tmp_path / PACKAGE / file
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert broken_rules(tmp_path) == []


def test_importing_the_package_loads_nothing_but_the_core():
    script = f"""
import json, sys
import keras
before = set(sys.modules)
import {PACKAGE}
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = json.loads(process.stdout.splitlines()[-1])
    assert f"{PACKAGE}.layers.attention" in loaded
    strangers = [
        name
        for name in loaded
        if name.split(".")[0] not in {PACKAGE, *sys.stdlib_module_names}
        or (name.split(".")[0] == PACKAGE and part_of(name) in EDGES)
    ]
    assert strangers == []
