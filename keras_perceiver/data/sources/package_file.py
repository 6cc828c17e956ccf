"""A file of an installed package, with the contents that a builder was written for."""

import hashlib
from pathlib import Path

from keras_perceiver.data.sources.package_directory import package_directory


def package_file(package: str, relative_path: str, distribution: str, sha256: str) -> Path:
    """Finds a file of an installed package, without importing it, and checks its contents.

    Args:
        package: The package's name in an import, such as "skimage".
        relative_path: Path of the file inside the package, such as "data/coffee.png".
        distribution: Name and version for pip of what the caller was written for, such as
            "scikit-image==0.26.0". Other versions will do as long as the file is the same.
        sha256: What the file's SHA-256 must be, in hexadecimal digits.

    Returns:
        The path of the file.

    Raises:
        ImportError: if the package is not installed; says how to install it.
        ValueError: if the file is missing or another one; names the distribution and version with
            the right one.

    Example:

    >>> path = package_file("skimage", "data/coffee.png", "scikit-image==0.26.0", "cc02f8ca188b...")
    """
    path = package_directory(package, distribution) / relative_path
    return check_sha256(path, path.read_bytes() if path.is_file() else None, distribution, sha256)


def check_sha256(path, contents, distribution, sha256):
    """Returns `path`, or raises ValueError unless its bytes (None: missing) have this SHA-256."""
    came = "no such file" if contents is None else hashlib.sha256(contents).hexdigest()
    if came != sha256:
        raise ValueError(
            f"`{path}` must be as in {distribution}, which this was written for (SHA-256 "
            f"{sha256}). Received: {came}. Install that version with: pip install "
            f"--no-deps {distribution}"
        )
    return path
