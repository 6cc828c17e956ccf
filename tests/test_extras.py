import re

import pytest

from keras_perceiver.extras import require


def test_returns_the_module():
    import importlib.util

    assert require("importlib.util", "data") is importlib.util


@pytest.mark.parametrize(
    "module, package",
    [("no_such_package", "no-such-package"), ("no_such_package.part", "no-such-package")],
)
def test_a_missing_package_is_named_with_the_line_that_installs_it(module, package):
    line = re.escape("pip install 'keras-perceiver[tuning]'")
    with pytest.raises(ImportError, match=f"{package}, which is not installed.*{line}"):
        require(module, "tuning")


def test_the_name_to_install_is_named_where_it_is_not_the_one_to_import(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"scikit-learn.*keras-perceiver\[examples\]"):
        require("sklearn", "examples")


def test_a_package_that_is_there_but_broken_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import what_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs"):
        require("broken_package", "data")
