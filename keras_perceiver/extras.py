"""Imports of optional dependencies, with an error that says how to install a missing package."""

import importlib

_PACKAGES = {"sklearn": "scikit-learn"}  # packages whose import name differs


def require(module, extra):
    """Imports an optional dependency.

    Args:
        module: Name to import, such as "sklearn.datasets".
        extra: The extra of keras-perceiver that installs it, such as "examples".

    Returns:
        The imported module.

    Raises:
        ImportError: if the package is not installed; names it and the command that installs it.

    Example:

    >>> datasets = require("sklearn.datasets", extra="examples")
    """
    root = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != root:  # the package is installed, but one of its imports fails
            raise
        package = _PACKAGES.get(root, root.replace("_", "-"))
        raise ImportError(
            f"This needs the package {package}, which is not installed. Install it with: "
            f"pip install 'keras-perceiver[{extra}]'",
            name=root,
        ) from error
