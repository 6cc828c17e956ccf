"""Optional dependencies: imported where needed, and named with their remedy where missing."""

import importlib

_PACKAGES = {"sklearn": "scikit-learn"}  # where the installed name is not the imported one


def require(module, extra):
    """Imports an optional dependency.

    Args:
        module: Name to import, such as "sklearn.datasets".
        extra: The extra of keras-perceiver that installs it, such as "examples".

    Returns:
        The imported module.

    Raises:
        ImportError: if the package is not installed; names it and the line that installs it.

    Example:

    >>> datasets = require("sklearn.datasets", extra="examples")
    """
    root = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != root:  # the package is there, something inside it is broken
            raise
        package = _PACKAGES.get(root, root.replace("_", "-"))
        raise ImportError(
            f"This needs the package {package}, which is not installed. Install it with: "
            f"pip install 'keras-perceiver[{extra}]'",
            name=root,
        ) from error
